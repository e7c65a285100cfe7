// Receiving: the address as text and QR code, with an amount and a purpose if the person asks for one.

import { useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Qr } from "../components/qr.js";
import { short } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { nanoLink } from "../lib/nano-link.js";
import { loadCore, type OpenWallet } from "../lib/wallet.js";

/** The card of an account's address. */
export function Receive({ account }: { account: OpenWallet }) {
	const { address, privateKey } = account;
	const [amount, setAmount] = useState("");
	const [purpose, setPurpose] = useState("");
	const [link, setLink] = useState(`nano:${address}`);
	const [problem, setProblem] = useState<string | null>(null);
	const ask = async () => {
		try {
			const { nanoToRaw } = await loadCore();
			const raw = amount.trim() === "" ? null : nanoToRaw(amount.trim());
			setLink(nanoLink(address, raw, purpose.trim()));
			setProblem(null);
		} catch (error) {
			setProblem(explain(error));
		}
	};
	return (
		<div class="card receive">
			<h2>{t("receive.heading")}</h2>
			<Qr text={link} label={t("receive.qr", { address })} />
			<p class="address">
				<Copy text={address} shown={short(address)} label={t("copy.own")} />
			</p>
			<p class="quiet">{t(privateKey === null ? "waiting.elsewhere" : "receive.alone")}</p>
			<details>
				<summary>{t("request.heading")}</summary>
				<form
					onSubmit={(event) => {
						event.preventDefault();
						void ask();
					}}
				>
					<Field
						id="request-amount"
						label={t("request.amount")}
						value={amount}
						set={setAmount}
						inputMode="decimal"
					/>
					<Field
						id="request-purpose"
						label={t("request.purpose")}
						value={purpose}
						set={setPurpose}
						maxLength={120}
					/>
					<p class="buttons">
						<button type="submit">{t("request.make")}</button>
						{link.includes("?") && (
							<button type="button" onClick={() => void navigator.clipboard.writeText(link)}>
								{t("request.copy")}
							</button>
						)}
					</p>
					<Problem text={problem} />
				</form>
			</details>
		</div>
	);
}
