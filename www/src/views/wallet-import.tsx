// Brings a wallet in any of its formats: typed, pasted, scanned or from a file.
//
// States: asking -> choosing, where the text can mean two wallets -> open. The person has to say that a copy of the
// secret is kept elsewhere, because a browser forgets.

import { useState } from "preact/hooks";
import { Field, Password } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Scan } from "../components/scan.js";
import { explain, t } from "../lib/i18n.js";
import { type Brought, fromNault, type Pasted, readSecret, recognise } from "../lib/secret-text.js";
import { createWallet, openWallet } from "../lib/wallet-store.js";
import { SecretChoice } from "./wallet-choice.js";

/** Largest file that is read. */
const MOST_FILE = 4_194_304;

/** The form. */
export function Import({ back }: { back: () => void }) {
	const [given, setGiven] = useState("");
	const [passphrase, setPassphrase] = useState("");
	const [foreign, setForeign] = useState("");
	const [password, setPassword] = useState("");
	const [saved, setSaved] = useState(false);
	const [choices, setChoices] = useState<Brought[]>([]);
	const [busy, setBusy] = useState(false);
	const [problem, setProblem] = useState<string | null>(null);

	let pasted: Pasted = { format: "secret" };
	let unusable: string | null = null;
	try {
		pasted = recognise(given);
	} catch (error) {
		unusable = explain(error);
	}

	const attempt = async (work: () => Promise<void>) => {
		setBusy(true);
		setProblem(null);
		try {
			await work();
		} catch (error) {
			setProblem(explain(error));
		}
		setBusy(false);
	};
	const enter = ({ secret, indexes }: Brought) => createWallet(secret, indexes, password, true);
	const finish = async () => {
		if (pasted.format === "export") return openWallet(password, pasted.text);
		if (pasted.format === "nault") return enter(await fromNault(pasted.nault, foreign));
		const secrets = await readSecret(given, passphrase);
		const brought = secrets.map((secret) => ({ secret, indexes: [0] }));
		const [only, other] = brought;
		if (other) setChoices(brought);
		else if (only) await enter(only);
	};
	const file = async (chosen: File | undefined) => {
		if (!chosen) return;
		if (chosen.size > MOST_FILE) setProblem(t("import.tooLarge"));
		else setGiven(await chosen.text());
	};

	if (choices.length > 0) {
		return (
			<SecretChoice
				secrets={choices.map(({ secret }) => secret)}
				choose={(place) =>
					attempt(async () => {
						const chosen = choices[place];
						if (chosen) await enter(chosen);
					})
				}
				busy={busy}
				problem={problem}
				back={() => setChoices([])}
			/>
		);
	}
	return (
		<div class="narrow">
			<form
				class="card"
				onSubmit={(event) => {
					event.preventDefault();
					void attempt(finish);
				}}
			>
				<h2>{t("new.import")}</h2>
				<label for="seed">{t("import.label")}</label>
				<textarea
					id="seed"
					rows={3}
					value={given}
					onInput={(event) => setGiven(event.currentTarget.value)}
					autocomplete="off"
					spellcheck={false}
					dir="ltr"
					required
				/>
				<p class="quiet">{t("import.formats")}</p>
				<div class="buttons">
					<label class="file">
						{t("import.file")}
						<input
							type="file"
							accept=".json,.txt,application/json,text/plain"
							onChange={(event) => void file(event.currentTarget.files?.[0])}
						/>
					</label>
					<Scan name={t("import.scan")} found={setGiven} />
				</div>
				<Problem text={unusable} />
				{pasted.format === "secret" && (
					<details>
						<summary>{t("import.more")}</summary>
						<Field
							id="passphrase"
							label={t("import.passphrase")}
							value={passphrase}
							set={setPassphrase}
						/>
						<p class="quiet">{t("import.passphraseWhy")}</p>
					</details>
				)}
				{pasted.format === "nault" && (
					<Password id="foreign" label={t("import.nault")} value={foreign} set={setForeign} />
				)}
				{pasted.format === "export" && <p class="note">{t("import.export")}</p>}
				<label class="check">
					<input
						type="checkbox"
						checked={saved}
						onChange={(event) => setSaved(event.currentTarget.checked)}
						required
					/>
					{t("import.saved")}
				</label>
				<Password value={password} set={setPassword} isNew={pasted.format !== "export"} />
				<p class="buttons">
					<button type="submit" class="primary" disabled={busy || unusable !== null}>
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
