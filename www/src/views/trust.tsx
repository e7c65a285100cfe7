// What is trusted here and why, one sentence each, with today's values.

import { ago } from "../lib/format.js";
import { useNow, useSession } from "../lib/session.js";

const WEIGHT_SOURCES = {
	shipped: "the table shipped with this page",
	bridge: "the bridge, which a development network allows",
	storage: "the table this browser stored",
	anchors: "what the anchor bridges you chose agree on",
	none: "no table yet, so nothing can be proven",
} as const;

/** The trust view. */
export function TrustView() {
	const { status } = useSession();
	const now = useNow();
	if (!status) return null;
	return (
		<div class="narrow">
			<div class="card prose">
				<h2>What is trusted, and why</h2>
				<dl class="trust">
					<dt>A balance</dt>
					<dd>
						is shown as proven only when this tab has checked the signatures of representatives who
						hold at least 67 % of the voting weight that is online, and more than half of all there
						is. It does not matter who handed the proof over: a wrong one cannot pass.
					</dd>
					<dt>The weights</dt>
					<dd>
						say how much each representative's vote counts. They are from{" "}
						{WEIGHT_SOURCES[status.weights.source]}
						{status.weights.asOf > 0 ? `, as of ${ago(status.weights.asOf, now)}` : ""}. This is the
						one thing the proof itself cannot show.{" "}
						{status.weights.stale
							? "They are older than 90 days, so amounts from Ӿ 1,000 on are not called proven here."
							: "Once they are older than 90 days, amounts from Ӿ 1,000 on are no longer called proven."}
					</dd>
					<dt>Being newest</dt>
					<dd>
						is a bridge's word, shown with its time. Votes carry no date: a proof shows that a
						balance was confirmed, not that nothing came after.
					</dd>
					<dt>Other tabs</dt>
					<dd>
						are trusted with nothing. They can stay silent, which is why several are asked at once.
					</dd>
					<dt>Your keys</dt>
					<dd>
						are encrypted in this browser with your password. Blocks are signed in this page; only
						signed blocks leave it.
					</dd>
					<dt>The limit</dt>
					<dd>
						If two thirds of Nano's voting weight were dishonest, a proof could lie. For a
						high-value payment let a full node confirm it too.
					</dd>
				</dl>
			</div>
		</div>
	);
}
