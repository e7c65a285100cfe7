// No wallet yet: make one, bring one, or watch an address whose key is elsewhere.

import { useState } from "preact/hooks";
import { Field, Password } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Words } from "../components/words.js";
import { explain, t } from "../lib/i18n.js";
import { readNanoLink } from "../lib/nano-link.js";
import { loadCore } from "../lib/wallet.js";
import { createWallet } from "../lib/wallet-store.js";
import { Import } from "./wallet-import.js";

type Step = "choice" | "import" | "watch" | { seed: string; words: string };

/** The way to a first wallet. */
export function NewWallet() {
	const [step, setStep] = useState<Step>("choice");
	const [problem, setProblem] = useState<string | null>(null);
	const back = () => setStep("choice");
	const make = async () => {
		try {
			const { generateSeed, seedToWords } = await loadCore();
			const seed = generateSeed();
			setStep({ seed, words: seedToWords(seed) });
		} catch (error) {
			setProblem(explain(error));
		}
	};
	if (step === "import") return <Import back={back} />;
	if (step === "watch") return <Watch back={back} />;
	if (step !== "choice") return <Fresh {...step} back={back} />;
	return (
		<div class="narrow">
			<div class="card">
				<h2>{t("new.heading")}</h2>
				<p>{t("new.lead")}</p>
				<p class="buttons">
					<button type="button" class="primary" onClick={() => void make()}>
						{t("new.create")}
					</button>
					<button type="button" onClick={() => setStep("import")}>
						{t("new.import")}
					</button>
					<button type="button" onClick={() => setStep("watch")}>
						{t("new.watch")}
					</button>
				</p>
				<Problem text={problem} />
			</div>
		</div>
	);
}

/** A new seed, to be written down before money comes. */
function Fresh({ seed, words, back }: { seed: string; words: string; back: () => void }) {
	const [saved, setSaved] = useState(false);
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const enter = async () => {
		setBusy(true);
		try {
			await createWallet({ kind: "nano", hex: seed }, [0], password, saved);
		} catch (error) {
			setProblem(explain(error));
			setBusy(false);
		}
	};
	return (
		<div class="narrow">
			<form
				class="card"
				onSubmit={(event) => {
					event.preventDefault();
					void enter();
				}}
			>
				<h2>{t("fresh.heading")}</h2>
				<p>{t("fresh.lead")}</p>
				<Words words={words} />
				<label class="check">
					<input
						type="checkbox"
						checked={saved}
						onChange={(event) => setSaved(event.currentTarget.checked)}
					/>
					{t("fresh.saved")}
				</label>
				{!saved && <p class="quiet">{t("fresh.later")}</p>}
				<Password value={password} set={setPassword} isNew />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy}>
						{busy ? t("new.busy") : t("new.open")}
					</button>
					<button type="button" onClick={back}>
						{t("new.back")}
					</button>
				</p>
				<Problem text={problem} />
			</form>
		</div>
	);
}

/** An address without its key: payments are signed elsewhere. */
function Watch({ back }: { back: () => void }) {
	const [address, setAddress] = useState("");
	const [password, setPassword] = useState("");
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);
	const enter = async () => {
		setBusy(true);
		try {
			const { parseAddress } = await loadCore();
			const parsed = parseAddress(readNanoLink(address)?.address ?? address.trim());
			await createWallet({ kind: "watch", address: parsed.address }, [0], password, true);
		} catch (error) {
			setProblem(explain(error));
			setBusy(false);
		}
	};
	return (
		<div class="narrow">
			<form
				class="card"
				onSubmit={(event) => {
					event.preventDefault();
					void enter();
				}}
			>
				<h2>{t("new.watch")}</h2>
				<p>{t("watch.lead")}</p>
				<Field
					id="watched"
					label={t("watch.address")}
					value={address}
					set={setAddress}
					placeholder="nano_…"
					required
				/>
				<Password value={password} set={setPassword} isNew />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy}>
						{busy ? t("new.busy") : t("new.open")}
					</button>
					<button type="button" onClick={back}>
						{t("new.back")}
					</button>
				</p>
				<Problem text={problem} />
			</form>
		</div>
	);
}
