// Signing where there is no network: one side shows the block and takes it back signed, the other reads what the block
// does, and signs.

import { useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Problem } from "../components/problem.js";
import { Qr } from "../components/qr.js";
import { Scan } from "../components/scan.js";
import { nanoExact, short } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import {
	type BlockDeed,
	processText,
	readSigned,
	readUnsigned,
	signText,
} from "../lib/offline-sign.js";
import { loadCore, type OpenWallet } from "../lib/wallet.js";
import type { SignRequest } from "../lib/wallet-store.js";

/** A text that is pasted or scanned. */
function Text({
	id,
	label,
	value,
	set,
}: {
	id: string;
	label: string;
	value: string;
	set: (value: string) => void;
}) {
	return (
		<>
			<label for={id}>{label}</label>
			<textarea
				id={id}
				rows={3}
				dir="ltr"
				spellcheck={false}
				autocomplete="off"
				value={value}
				onInput={(event) => set(event.currentTarget.value)}
			/>
			<Scan name={t("sign.scan")} found={set} />
		</>
	);
}

/** The side with the network: a block that waits for its signature. */
export function SignElsewhere({ request }: { request: SignRequest }) {
	const [text, setText] = useState("");
	const [problem, setProblem] = useState<string | null>(null);
	const out = signText(request.unsigned, request.previous);
	const give = () => {
		try {
			request.give(readSigned(text));
		} catch (error) {
			setProblem(explain(error));
		}
	};
	return (
		<form
			class="card sign"
			onSubmit={(event) => {
				event.preventDefault();
				give();
			}}
		>
			<h2>{t("sign.elsewhere")}</h2>
			<p>{t("sign.out")}</p>
			<Qr text={out} label={t("sign.outQr")} />
			<p>
				<Copy text={out} shown={`${out.slice(0, 32)}…`} label={t("sign.copyOut")} />
			</p>
			<Text id="signed" label={t("sign.back")} value={text} set={setText} />
			<p class="buttons">
				<button type="submit" class="primary" disabled={text.trim() === ""}>
					{t("sign.deliver")}
				</button>
				<button type="button" onClick={request.refuse}>
					{t("send.cancel")}
				</button>
			</p>
			<Problem text={problem} />
		</form>
	);
}

/** The side with the key. */
export function Signer({ accounts }: { accounts: OpenWallet[] }) {
	const [text, setText] = useState("");
	const [deed, setDeed] = useState<BlockDeed | null>(null);
	const [signed, setSigned] = useState<string | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const read = async (given: string) => {
		setText(given);
		setDeed(null);
		setSigned(null);
		setProblem(null);
		if (given.trim() === "") return;
		try {
			setDeed(await readUnsigned(given));
		} catch (error) {
			setProblem(explain(error));
		}
	};
	const own = accounts.find(({ address }) => address === deed?.block.account);
	const sign = async () => {
		if (!deed || !own?.privateKey) return;
		const { signBlock } = await loadCore();
		setSigned(processText(signBlock(deed.block, own.privateKey)));
	};
	return (
		<details>
			<summary>{t("sign.heading")}</summary>
			<p class="quiet">{t("sign.what")}</p>
			<Text id="unsigned" label={t("sign.in")} value={text} set={(given) => void read(given)} />
			<Problem text={problem} />
			{deed && (
				<div class="note">
					<p>
						<strong>{t(`sign.${deed.kind}`, { amount: nanoExact(deed.amount) })}</strong>
					</p>
					<p>
						<code dir="ltr">{deed.other}</code>
					</p>
					<p class="quiet">
						{t("sign.after", {
							account: short(deed.block.account),
							amount: nanoExact(deed.balance),
						})}
					</p>
					{own ? (
						<button type="button" class="primary" onClick={() => void sign()}>
							{t("sign.do")}
						</button>
					) : (
						<p>{t("sign.foreign")}</p>
					)}
				</div>
			)}
			{signed && (
				<>
					<Qr text={signed} label={t("sign.backQr")} />
					<p>
						<Copy text={signed} shown={`${signed.slice(0, 32)}…`} label={t("sign.copyBack")} />
					</p>
				</>
			)}
		</details>
	);
}
