// A proof as a drawing: which representatives signed, how much voting weight they hold, and the line it had to pass.

import type { AccountAnswer } from "nanonet";
import { ago, moment, nano, percent, short } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { isHighValue } from "../lib/worth.js";
import { WeightBar } from "./weight-bar.js";

/** Who gave the answer, in words. */
export function sourceText(answer: AccountAnswer): string {
	const { kind, hops } = answer.source;
	if (kind === "own-slice") return t("source.own");
	if (kind === "bridge") return t("source.bridge");
	return hops <= 1 ? t("source.linked") : t("source.far", { n: hops });
}

/** How an answer is to be taken, in a word and a reason. */
function verdict(answer: AccountAnswer): { tone: "good" | "wait"; word: string; why: string } {
	const { provenBelow, balance, order } = answer;
	if (provenBelow !== null && balance >= provenBelow) {
		const why = t("answer.tooHighWhy", { amount: nano(provenBelow) });
		return { tone: "wait", word: t("answer.tooHigh", { amount: nano(provenBelow) }), why };
	}
	if (order === "unknown") {
		return { tone: "wait", word: t("answer.orderUnknown"), why: t("answer.orderUnknownWhy") };
	}
	if (provenBelow !== null) {
		const why = t("answer.oldWeightsWhy", { amount: nano(provenBelow) });
		return { tone: "wait", word: t("answer.oldWeights"), why };
	}
	return { tone: "good", word: t("answer.proven"), why: "" };
}

/** An answer in one sentence that does not change while it is shown, for those who cannot see it. */
export function spoken(answer: AccountAnswer): string {
	if (answer.state === "unopened") return t("answer.spokenUnopened");
	if (answer.state === "unknown") return t("answer.spokenUnknown");
	return t("answer.spoken", { amount: nano(answer.balance), verdict: verdict(answer).word });
}

/** The proof of an answer, or why there is none; `folded` keeps what lies further out of the way. */
export function Proof({
	answer,
	now,
	folded = false,
}: {
	answer: AccountAnswer;
	now: number;
	folded?: boolean;
}) {
	const { proof } = answer;
	if (answer.state === "unknown") {
		return (
			<p class="note">
				<strong>{t("answer.unknown")}</strong> {t("answer.unknownWhy")}
			</p>
		);
	}
	if (!proof) {
		const when = answer.asOf === null ? "" : ` (${ago(answer.asOf, now)})`;
		return (
			<p class="note">
				<strong>{t("answer.unproven")}</strong> {t("answer.unprovenWhy", { when })}
			</p>
		);
	}
	const { tone, word, why } = verdict(answer);
	const facts = (
		<dl class="facts">
			<dt>{t("answer.from")}</dt>
			<dd>{sourceText(answer)}</dd>
			<dt>{t("answer.asOf")}</dt>
			<dd>
				{answer.asOf === null
					? t("answer.asOfUnknown")
					: t("answer.asOfWord", { ago: ago(answer.asOf, now) })}
			</dd>
			<dt>{t("answer.seen")}</dt>
			<dd>{answer.answersSeen}</dd>
			<dt>{t("answer.weightsAsOf")}</dt>
			<dd>
				{moment(answer.weightsAsOf)}
				{answer.provenBelow === null ? "" : `, ${ago(answer.weightsAsOf, now)}`}
			</dd>
		</dl>
	);
	return (
		<div class="proof">
			<p class={`verdict ${tone}`}>
				<span class="tick" aria-hidden="true">
					{tone === "good" ? "✓" : "!"}
				</span>
				<span>
					<strong>{word}</strong> {why}{" "}
					{t("proof.votes", {
						n: proof.votes.length,
						share: percent(proof.weight, proof.networkTotal),
						needed: percent(proof.threshold, proof.networkTotal),
					})}
				</span>
			</p>
			<WeightBar proof={proof} />
			{isHighValue(answer.balance) && <p class="note high-value">{t("answer.highValue")}</p>}
			{!folded && facts}
			<details>
				<summary>{t("answer.who")}</summary>
				{folded && facts}
				<table>
					<thead>
						<tr>
							<th scope="col">{t("answer.representative")}</th>
							<th scope="col">{t("answer.weight")}</th>
						</tr>
					</thead>
					<tbody>
						{[...proof.votes]
							.sort((a, b) => (a.weight < b.weight ? 1 : -1))
							.map((vote) => (
								<tr key={vote.representative}>
									<td title={vote.representative}>
										<code dir="ltr">{short(vote.representative)}</code>
									</td>
									<td>
										{percent(vote.weight, proof.networkTotal)}{" "}
										<small>Ӿ {nano(vote.weight, 0)}</small>
									</td>
								</tr>
							))}
					</tbody>
				</table>
			</details>
		</div>
	);
}
