// The living picture: who this tab is linked to, where answers came from, what it does for others.

import { BridgeList } from "../components/bridge-list.js";
import { sourceText } from "../components/proof.js";
import { Ring } from "../components/ring.js";
import { linkCounts } from "../components/state-pill.js";
import { ago, bytes, nano, short, shortHash } from "../lib/format.js";
import { type Key, t } from "../lib/i18n.js";
import { useNow, useSession } from "../lib/session.js";

const LINK_KINDS = {
	"data-channel": "link.direct",
	"web-socket": "link.webSocket",
	tcp: "link.tcp",
} as const satisfies Record<string, Key>;

/** Reasons that a record was not kept for although nothing about it is false. */
const HARMLESS = new Set([
	"superseded",
	"already-received",
	"below-minimum",
	"destination-full",
	"no-room",
	"order-unknown",
]);

/** One sentence on where the node stands. */
function sentence(tabs: number, bridges: number, records: number): string {
	if (tabs === 0 && bridges === 0) return t(records > 0 ? "node.alone" : "node.looking");
	return t(tabs === 0 ? "node.bridgeOnly" : "node.meshed");
}

/** The node view. */
export function NodeView({ shown }: { shown: boolean }) {
	const { status, heard, lastConfirmed } = useSession();
	const now = useNow();
	if (!status) return null;
	const { tabs, bridges } = linkCounts(status);
	const refused = Object.entries(status.refused)
		.filter(([reason]) => !HARMLESS.has(reason))
		.reduce((sum, [, count]) => sum + count, 0);
	const latest = heard.filter(
		({ answer }, index) =>
			heard.findIndex((other) => other.answer.account === answer.account) === index,
	);
	const tiles: [Key, string][] = [
		["node.held", String(status.records)],
		["node.heldBytes", bytes(status.recordBytes)],
		["node.served", String(status.answersServed)],
		["node.in", bytes(status.bytesIn)],
		["node.out", bytes(status.bytesOut)],
	];
	return (
		<div class="columns">
			<div class="card">
				<h2>{t("node.around")}</h2>
				<p>{sentence(tabs, bridges, status.records)}</p>
				<Ring id={status.id} status={status} heard={heard} now={now} />
				<p class="legend">
					<span class="key tab">{t("legend.tab")}</span>
					<span class="key bridge">{t("legend.bridge")}</span>
					<span class="key answer">{t("legend.answer")}</span>
					<span class="key own">{t("legend.own")}</span>
				</p>
			</div>
			<div class="stack">
				<div class="card">
					<h2>{t("node.does")}</h2>
					<dl class="tiles">
						{tiles.map(([name, value]) => (
							<div key={name}>
								<dt>{t(name)}</dt>
								<dd>{value}</dd>
							</div>
						))}
					</dl>
					<p class="quiet">
						{lastConfirmed === null
							? t("node.noConfirmed")
							: t("node.lastConfirmed", { ago: ago(lastConfirmed, now) })}
					</p>
					{refused > 0 && <p class="note">{t("node.refused", { n: refused })}</p>}
					{status.standing !== "member" && <p class="note">{t("node.standing")}</p>}
					{status.storage.problem && (
						<p class="note">{t("node.storage", { why: status.storage.problem })}</p>
					)}
				</div>
				<BridgeList shown={shown} addresses={status.bridges} />
				<div class="card">
					<h2>{t("node.links")}</h2>
					{status.links.length === 0 ? (
						<p class="empty">{t("node.noLinks")}</p>
					) : (
						<ul class="rows">
							{status.links.map((link) => (
								<li key={link.id}>
									<span class={`badge ${link.role === "bridge" ? "bridge" : "tab"}`}>
										{t(link.role === "bridge" ? "legend.bridge" : "legend.tab")}
									</span>
									<code dir="ltr" title={link.key}>
										{shortHash(link.id)}
									</code>
									<span class="quiet">
										{[
											t(LINK_KINDS[link.kind]),
											link.rttMs === null ? "" : `${Math.round(link.rttMs)} ms`,
											link.introducedBy ? t(`link.by.${link.introducedBy.kind}`) : "",
											link.answers > 0 ? t("count.answers", { n: link.answers }) : "",
										]
											.filter(Boolean)
											.join(" · ")}
									</span>
								</li>
							))}
						</ul>
					)}
				</div>
				<div class="card">
					<h2>{t("node.recent")}</h2>
					{heard.length === 0 ? (
						<p class="empty">
							{t("node.noAnswers")} <a href="#ask">{t("node.askNow")}</a>
						</p>
					) : (
						<ul class="rows">
							{latest.slice(0, 6).map(({ at, answer, tookMs }) => (
								<li key={at}>
									<code dir="ltr" title={answer.account}>
										{short(answer.account)}
									</code>
									<strong>
										{answer.state === "opened"
											? `Ӿ ${nano(answer.balance, 4)}`
											: t(`node.state.${answer.state}`)}
									</strong>
									<span class="quiet">
										{sourceText(answer)} · {Math.round(tookMs)} ms · {ago(at, now)}
									</span>
								</li>
							))}
						</ul>
					)}
				</div>
			</div>
		</div>
	);
}
