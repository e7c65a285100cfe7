// The nanonet around this tab, drawn: ids lie on a ring, this tab in its middle, a line for every live link.
// A recent answer is a brighter line to whoever gave it; the number on it is the hops it took.

import type { NodeStatus } from "nanonet";
import { shortHash } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import type { Heard } from "../lib/session.js";
import { linkCounts } from "./state-pill.js";

const SIZE = 360;
const MIDDLE = SIZE / 2;
const RADIUS = 138;
/** An answer lights its line up for this long. */
const BRIGHT_MS = 12_000;

/** Where an id lies on the ring: its first 32 bits as an angle. */
function place(id: string): { x: number; y: number } {
	const angle = (Number.parseInt(id.slice(0, 8), 16) / 2 ** 32) * 2 * Math.PI - Math.PI / 2;
	return { x: MIDDLE + RADIUS * Math.cos(angle), y: MIDDLE + RADIUS * Math.sin(angle) };
}

/** The drawing, with a text that says the same. */
export function Ring({
	id,
	status,
	heard,
	now,
}: {
	id: string;
	status: NodeStatus;
	heard: Heard[];
	now: number;
}) {
	const { tabs, bridges } = linkCounts(status);
	const linked = new Set(status.links.map((link) => link.id));
	const recent = heard.filter(({ at, answer }) => now - at < BRIGHT_MS && answer.source.id);
	const far = recent.filter(({ answer }) => answer.source.id && !linked.has(answer.source.id));
	const own = place(id);
	return (
		<svg
			class="ring"
			viewBox={`0 0 ${SIZE} ${SIZE}`}
			role="img"
			aria-label={t("ring.label", { tabs, bridges, answers: recent.length })}
		>
			<circle class="orbit" cx={MIDDLE} cy={MIDDLE} r={RADIUS} />
			{far.map(({ at, answer }) => {
				const { x, y } = place(answer.source.id ?? id);
				return (
					<g key={at}>
						<line class="answer far" x1={MIDDLE} y1={MIDDLE} x2={x} y2={y} />
						<circle class="peer unlinked" cx={x} cy={y} r="6">
							<title>{`${t("source.far", { n: answer.source.hops })}: ${shortHash(answer.source.id ?? "")}`}</title>
						</circle>
						<text class="hops" x={(MIDDLE + x) / 2} y={(MIDDLE + y) / 2 - 4}>
							{t("count.hops", { n: answer.source.hops })}
						</text>
					</g>
				);
			})}
			{status.links.map((link) => {
				const { x, y } = place(link.id);
				const answered = recent.some(({ answer }) => answer.source.id === link.id);
				const bridge = link.role === "bridge";
				return (
					<g key={link.id}>
						<line class={answered ? "answer" : "link"} x1={MIDDLE} y1={MIDDLE} x2={x} y2={y} />
						{bridge ? (
							<rect class="peer bridge" x={x - 8} y={y - 8} width="16" height="16" rx="4" />
						) : (
							<circle class="peer" cx={x} cy={y} r="8" />
						)}
						<title>
							{`${t(bridge ? "ring.bridge" : "ring.tab")} ${shortHash(link.id)}${link.rttMs === null ? "" : `, ${Math.round(link.rttMs)} ms`}`}
						</title>
					</g>
				);
			})}
			<circle class="own-place" cx={own.x} cy={own.y} r="4">
				<title>{t("ring.place")}</title>
			</circle>
			<circle class="self" cx={MIDDLE} cy={MIDDLE} r="26" />
			<text class="self-text" x={MIDDLE} y={MIDDLE + 4}>
				{t("ring.you")}
			</text>
		</svg>
	);
}
