// The living picture: who this tab is linked to, where answers came from, what it does for others.

import { sourceText } from "../components/proof.js";
import { Ring } from "../components/ring.js";
import { linkCounts } from "../components/state-pill.js";
import { ago, bytes, nano, plural, short, shortHash } from "../lib/format.js";
import { useNow, useSession } from "../lib/session.js";

const LINK_KINDS = {
	"data-channel": "directly (WebRTC)",
	"web-socket": "by WebSocket",
	tcp: "by TCP",
} as const;

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
	if (tabs === 0 && bridges === 0) {
		return records > 0
			? "No link right now. What this tab already holds can still be shown, with its proof."
			: "Looking for a way in. A bridge introduces this tab to others.";
	}
	if (tabs === 0)
		return "Linked to a bridge. As soon as another tab opens, the two connect directly.";
	return "Part of the network: this tab answers others and needs no server to be answered.";
}

/** The node view. */
export function NodeView() {
	const { status, heard } = useSession();
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
	return (
		<div class="columns">
			<div class="card">
				<h2>Around you</h2>
				<p>{sentence(tabs, bridges, status.records)}</p>
				<Ring id={status.id} status={status} heard={heard} now={now} />
				<p class="legend">
					<span class="key tab">tab</span>
					<span class="key bridge">bridge</span>
					<span class="key answer">recent answer</span>
					<span class="key own">your place</span>
				</p>
			</div>
			<div class="stack">
				<div class="card">
					<h2>What this tab does</h2>
					<dl class="tiles">
						<div>
							<dt>Accounts held</dt>
							<dd>{status.records}</dd>
						</div>
						<div>
							<dt>Answers given</dt>
							<dd>{status.answersServed}</dd>
						</div>
						<div>
							<dt>Received</dt>
							<dd>{bytes(status.bytesIn)}</dd>
						</div>
						<div>
							<dt>Sent</dt>
							<dd>{bytes(status.bytesOut)}</dd>
						</div>
					</dl>
					{refused > 0 && (
						<p class="note">
							{plural(refused, "answer was", "answers were")} refused because the proof did not
							hold.
						</p>
					)}
					{status.standing !== "member" && (
						<p class="note">
							This tab asks others and holds nothing for them yet: it is computing the work that a
							place in the network costs.
						</p>
					)}
					{status.storage.problem && (
						<p class="note">Nothing is kept after this tab closes: {status.storage.problem}</p>
					)}
				</div>
				<div class="card">
					<h2>Links</h2>
					{status.links.length === 0 ? (
						<p class="empty">None yet.</p>
					) : (
						<ul class="rows">
							{status.links.map((link) => (
								<li key={link.id}>
									<span class={`badge ${link.role === "bridge" ? "bridge" : "tab"}`}>
										{link.role === "bridge" ? "bridge" : "tab"}
									</span>
									<code title={link.key}>{shortHash(link.id)}</code>
									<span class="quiet">
										{LINK_KINDS[link.kind]}
										{link.rttMs === null ? "" : ` · ${Math.round(link.rttMs)} ms`}
										{link.introducedBy
											? ` · introduced by ${link.introducedBy.kind === "peers" ? "peers" : "a bridge"}`
											: ""}
										{link.answers > 0 ? ` · ${plural(link.answers, "answer", "answers")}` : ""}
									</span>
								</li>
							))}
						</ul>
					)}
				</div>
				<div class="card">
					<h2>Recent answers</h2>
					{heard.length === 0 ? (
						<p class="empty">
							None yet. <a href="#ask">Ask for a balance</a> and see who answers.
						</p>
					) : (
						<ul class="rows">
							{latest.slice(0, 6).map(({ at, answer, tookMs }) => (
								<li key={at}>
									<code title={answer.account}>{short(answer.account)}</code>
									<strong>
										{answer.state === "opened" ? `Ӿ ${nano(answer.balance, 4)}` : answer.state}
									</strong>
									<span class="quiet">
										from {sourceText(answer)} · {Math.round(tookMs)} ms · {ago(at, now)}
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
