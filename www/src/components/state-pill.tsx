// The node's state in a few words, always in sight.

import type { NodeStatus } from "nanonet";
import { plural } from "../lib/format.js";
import type { Session } from "../lib/session.js";

/** Counts links by what they lead to. */
export function linkCounts(status: NodeStatus): { tabs: number; bridges: number } {
	const bridges = status.links.filter((link) => link.role === "bridge").length;
	return { bridges, tabs: status.links.length - bridges };
}

/** What the state is called, and how good it is; `lead` is the part that a narrow screen leaves out. */
export function describe(session: Session): {
	lead?: string;
	text: string;
	tone: "good" | "wait" | "bad";
} {
	if (session.state === "idle") return { text: "Not started", tone: "wait" };
	if (session.state === "failed") return { text: "Could not start", tone: "bad" };
	if (session.state === "stopped") return { text: "Stopped", tone: "bad" };
	if (session.state === "starting" || !session.status) return { text: "Starting…", tone: "wait" };
	const { tabs, bridges } = linkCounts(session.status);
	if (tabs === 0 && bridges === 0) {
		return session.status.state === "offline"
			? { text: "Offline: answers come from this tab's own records", tone: "bad" }
			: { text: "Looking for a bridge…", tone: "wait" };
	}
	const parts = [];
	if (tabs > 0) parts.push(plural(tabs, "tab", "tabs"));
	if (bridges > 0) parts.push(plural(bridges, "bridge", "bridges"));
	return { lead: "Linked to ", text: parts.join(" and "), tone: "good" };
}

/** The pill itself; announced politely when it changes. */
export function StatePill({ session }: { session: Session }) {
	const { lead, text, tone } = describe(session);
	return (
		<p class={`pill ${tone}`} role="status">
			<span class="dot" aria-hidden="true" />
			<span>
				{lead && <span class="lead">{lead}</span>}
				{text}
			</span>
			{session.node && <span class="network">{session.node.network}</span>}
		</p>
	);
}
