// Hands a proof on: as a link, as a file, and where it is small enough as a QR code.

import type { AccountAnswer, NodeNetwork } from "nanonet";
import { useState } from "preact/hooks";
import { save } from "../lib/files.js";
import { explain, t } from "../lib/i18n.js";
import { linkOf, PROOF_FILE, packed, QR_BYTES } from "../lib/proof-link.js";
import { Copy } from "./copy.js";
import { Problem } from "./problem.js";
import { Qr } from "./qr.js";

/** The button, and what it made. */
export function ShareProof({ answer, network }: { answer: AccountAnswer; network: NodeNetwork }) {
	const [made, setMade] = useState<{ link: string; bytes: Uint8Array<ArrayBuffer> } | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const { proof, account } = answer;
	if (!proof) return null;
	const make = async () => {
		try {
			const bytes = await packed(proof.json(), account, network);
			setMade({ bytes, link: linkOf(bytes) });
			setProblem(null);
		} catch (error) {
			setProblem(explain(error));
		}
	};
	return (
		<div class="share">
			<button type="button" onClick={() => void make()} disabled={made !== null}>
				{t("share.make")}
			</button>
			{made && (
				<div class="shared">
					<p class="quiet">{t("share.what", { n: made.bytes.length })}</p>
					<p>
						<Copy text={made.link} shown={`${made.link.slice(0, 48)}…`} label={t("share.copy")} />
					</p>
					<p class="buttons">
						<button
							type="button"
							onClick={() => save(`${account.slice(0, 14)}${PROOF_FILE}`, new Blob([made.bytes]))}
						>
							{t("share.file")}
						</button>
					</p>
					{made.link.length <= QR_BYTES ? (
						<Qr text={made.link} label={t("share.qr")} />
					) : (
						<p class="quiet">{t("share.tooLarge", { n: made.link.length })}</p>
					)}
				</div>
			)}
			<Problem text={problem} />
		</div>
	);
}
