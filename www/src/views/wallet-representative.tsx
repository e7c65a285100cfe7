// Who votes with the account's weight, and the choice of another.
//
// The list is of those who signed the account's own proof: this tab has checked that they vote, and knows their weight.
// Those with little are named first, because weight that is spread makes Nano safer.

import type { AccountAnswer } from "nanonet";
import { useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { nano, percent, short } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import type { OwnAccount, Progress } from "../lib/own-account.js";
import { ProgressLine } from "./wallet-progress.js";

/** The representative of an account. */
export function Representative({
	account,
	own,
	done,
}: {
	account: OwnAccount;
	own: AccountAnswer | null;
	done: () => void;
}) {
	const [to, setTo] = useState("");
	const [progress, setProgress] = useState<Progress | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const proof = own?.proof;
	const voters = [...(proof?.votes ?? [])].sort((a, b) => (a.weight < b.weight ? -1 : 1));
	const busy = progress !== null && progress.step !== "confirmed";
	const change = async () => {
		setProblem(null);
		try {
			await account.changeRepresentative(to.trim(), setProgress, new AbortController().signal);
			setTo("");
			done();
		} catch (error) {
			setProgress(null);
			setProblem(explain(error));
		}
	};
	return (
		<details>
			<summary>{t("representative.heading")}</summary>
			{own?.representative ? (
				<p>
					{t("representative.now")}{" "}
					<code dir="ltr" title={own.representative}>
						{short(own.representative)}
					</code>
				</p>
			) : (
				<p class="empty">{t("representative.none")}</p>
			)}
			<form
				onSubmit={(event) => {
					event.preventDefault();
					void change();
				}}
			>
				{proof && (
					<fieldset class="voters">
						<legend>{t("representative.choose")}</legend>
						{voters.map(({ representative, weight }) => (
							<label class="check" key={representative}>
								<input
									type="radio"
									name="voter"
									checked={to === representative}
									onChange={() => setTo(representative)}
								/>
								<code dir="ltr" title={representative}>
									{short(representative)}
								</code>
								<span class="quiet">
									{percent(weight, proof.networkTotal)} · Ӿ {nano(weight, 0)}
								</span>
							</label>
						))}
					</fieldset>
				)}
				<Field
					id="representative"
					label={t("representative.other")}
					value={to}
					set={setTo}
					placeholder="nano_…"
					required
				/>
				<p class="buttons">
					<button type="submit" disabled={busy || !own?.frontier}>
						{t("representative.do")}
					</button>
				</p>
				{progress && <ProgressLine progress={progress} verb={t("progress.changing")} />}
				<Problem text={problem} />
			</form>
		</details>
	);
}
