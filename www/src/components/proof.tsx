// A proof as a drawing: which representatives signed, how much voting weight they hold, and the line it had to pass.

import type { AccountAnswer, ProofInfo } from "nanonet";
import { ago, nano, percent, short } from "../lib/format.js";

/** Segments drawn one by one; the rest share one. */
const DRAWN = 12;

/** The bar of weights against the quorum line. */
function WeightBar({ proof }: { proof: ProofInfo }) {
	const whole = proof.networkTotal;
	const share = (weight: bigint) => (whole === 0n ? 0 : Number((weight * 10_000n) / whole) / 100);
	const votes = [...proof.votes].sort((a, b) => (a.weight < b.weight ? 1 : -1));
	const drawn = votes.slice(0, DRAWN);
	const rest = votes.slice(DRAWN).reduce((sum, vote) => sum + vote.weight, 0n);
	const segments = [
		...drawn.map((vote) => ({
			key: vote.representative,
			weight: vote.weight,
			name: short(vote.representative),
		})),
		...(rest > 0n ? [{ key: "rest", weight: rest, name: `${votes.length - DRAWN} more` }] : []),
	];
	let x = 0;
	return (
		<svg
			class="weight-bar"
			viewBox="0 0 100 14"
			preserveAspectRatio="none"
			role="img"
			aria-label={`${votes.length} representatives with ${percent(proof.weight, whole)} of all voting weight signed; ${percent(proof.threshold, whole)} was needed.`}
		>
			<rect class="track" x="0" y="3" width="100" height="8" />
			{segments.map((segment, index) => {
				const width = share(segment.weight);
				const at = x;
				x += width;
				return (
					<rect
						key={segment.key}
						class={`segment s${index % 2}`}
						x={at}
						y="3"
						width={Math.max(0.2, width - 0.25)}
						height="8"
					>
						<title>{`${segment.name}: ${percent(segment.weight, whole)}`}</title>
					</rect>
				);
			})}
			<line class="quorum" x1={share(proof.threshold)} x2={share(proof.threshold)} y1="0" y2="14" />
		</svg>
	);
}

/** Who gave the answer, in words. */
export function sourceText(answer: AccountAnswer): string {
	const { kind, hops } = answer.source;
	if (kind === "own-slice") return "this tab's own records";
	if (kind === "bridge") return "a bridge, which asked full nodes";
	return hops <= 1 ? "another tab, linked to this one" : `another tab, ${hops} hops away`;
}

/** How an answer is to be taken, in a word and a reason. */
function verdict(answer: AccountAnswer): { tone: "good" | "wait"; word: string; why: string } {
	const { provenBelow, balance, order } = answer;
	if (provenBelow !== null && balance >= provenBelow) {
		return {
			tone: "wait",
			word: "Not proven for an amount this high.",
			why: `The voting weights known here are older than 90 days, which is enough below Ӿ ${nano(provenBelow)} only. Ask a full node.`,
		};
	}
	if (order === "unknown") {
		return {
			tone: "wait",
			word: "Proven, but perhaps not the newest.",
			why: "Another proven state of this account is known, and it is not clear which came later.",
		};
	}
	if (provenBelow !== null) {
		return {
			tone: "wait",
			word: "Proven by old weights.",
			why: `They are older than 90 days: do not rely on them from Ӿ ${nano(provenBelow)} on.`,
		};
	}
	return { tone: "good", word: "Proven, and checked in this tab.", why: "" };
}

/** An answer in one sentence that does not change while it is shown, for those who cannot see it. */
export function spoken(answer: AccountAnswer): string {
	if (answer.state === "unopened") return "Never opened, as far as full nodes know. Unproven.";
	if (answer.state === "unknown") return "Nothing is known of this account's own blocks.";
	return `Balance ${nano(answer.balance)} nano. ${verdict(answer).word}`;
}

/** The proof of an answer, or why there is none. */
export function Proof({ answer, now }: { answer: AccountAnswer; now: number }) {
	const { proof } = answer;
	if (answer.state === "unknown") {
		return (
			<p class="note">
				<strong>Unknown.</strong> Payments to this account are proven, but nobody who could be asked
				knows its own blocks: it may hold any balance.
			</p>
		);
	}
	if (!proof) {
		return (
			<p class="note">
				<strong>Unproven.</strong> Nobody can prove that an account does not exist. A bridge asked
				full nodes and they knew no block of it
				{answer.asOf === null ? "" : ` ${ago(answer.asOf, now)}`}.
			</p>
		);
	}
	const { tone, word, why } = verdict(answer);
	return (
		<div class="proof">
			<p class={`verdict ${tone}`}>
				<span class="tick" aria-hidden="true">
					{tone === "good" ? "✓" : "!"}
				</span>
				<span>
					<strong>{word}</strong> {why} {proof.votes.length} representatives with{" "}
					{percent(proof.weight, proof.networkTotal)} of all voting weight signed this balance;{" "}
					{percent(proof.threshold, proof.networkTotal)} is needed.
				</span>
			</p>
			<WeightBar proof={proof} />
			<dl class="facts">
				<dt>Came from</dt>
				<dd>{sourceText(answer)}</dd>
				<dt>Newest as of</dt>
				<dd>
					{answer.asOf === null
						? "unknown: votes carry no time, and no bridge has vouched for it yet"
						: `${ago(answer.asOf, now)}, by a bridge's word`}
				</dd>
				<dt>Weights as of</dt>
				<dd>
					{new Date(answer.weightsAsOf).toLocaleString()}
					{answer.provenBelow === null ? "" : `, ${ago(answer.weightsAsOf, now)}`}
				</dd>
			</dl>
			<details>
				<summary>Who signed</summary>
				<table>
					<thead>
						<tr>
							<th scope="col">Representative</th>
							<th scope="col">Weight</th>
						</tr>
					</thead>
					<tbody>
						{[...proof.votes]
							.sort((a, b) => (a.weight < b.weight ? 1 : -1))
							.map((vote) => (
								<tr key={vote.representative}>
									<td title={vote.representative}>{short(vote.representative)}</td>
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
