// Who signed, as a bar of their weights against the line that had to be passed.

import type { ProofInfo } from "nanonet";
import { percent, short } from "../lib/format.js";
import { t } from "../lib/i18n.js";

/** Segments drawn one by one; the rest share one. */
const DRAWN = 12;

/** What is drawn of a proof. */
export type Weighed = Pick<ProofInfo, "weight" | "threshold" | "networkTotal" | "votes">;

/** The bar of weights against the quorum line. */
export function WeightBar({ proof }: { proof: Weighed }) {
	const whole = proof.networkTotal;
	const share = (weight: bigint) => (whole === 0n ? 0 : Number((weight * 10_000n) / whole) / 100);
	const votes = [...proof.votes].sort((a, b) => (a.weight < b.weight ? 1 : -1));
	const rest = votes.slice(DRAWN).reduce((sum, vote) => sum + vote.weight, 0n);
	const segments = [
		...votes.slice(0, DRAWN).map(({ representative, weight }) => ({
			key: representative,
			weight,
			name: short(representative),
		})),
		...(rest > 0n
			? [{ key: "rest", weight: rest, name: t("answer.more", { n: votes.length - DRAWN }) }]
			: []),
	];
	let x = 0;
	return (
		<svg
			class="weight-bar"
			viewBox="0 0 100 14"
			preserveAspectRatio="none"
			role="img"
			aria-label={t("answer.bar", {
				n: votes.length,
				share: percent(proof.weight, whole),
				needed: percent(proof.threshold, whole),
			})}
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
