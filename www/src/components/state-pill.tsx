// The node's state in a few words, always in sight.

import type { NodeStatus } from "nanonet";
import { t } from "../lib/i18n.js";
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
	if (session.state === "idle") return { text: t("state.idle"), tone: "wait" };
	if (session.state === "failed") return { text: t("state.failed"), tone: "bad" };
	if (session.state === "stopped") return { text: t("state.stopped"), tone: "bad" };
	if (session.state === "starting" || !session.status) {
		return { text: t("state.starting"), tone: "wait" };
	}
	const { tabs, bridges } = linkCounts(session.status);
	if (tabs === 0 && bridges === 0) {
		return session.status.state === "offline"
			? { text: t("state.offline"), tone: "bad" }
			: { text: t("state.looking"), tone: "wait" };
	}
	const parts = [];
	if (tabs > 0) parts.push(t("count.tabs", { n: tabs }));
	if (bridges > 0) parts.push(t("count.bridges", { n: bridges }));
	const text =
		parts.length === 2
			? t("state.both", { one: parts[0] ?? "", two: parts[1] ?? "" })
			: (parts[0] ?? "");
	return { lead: t("state.linked"), text, tone: "good" };
}

/** The pill itself; announced politely when it changes. */
export function StatePill({ session }: { session: Session }) {
	const { lead, text, tone } = describe(session);
	return (
		<p class={`pill ${tone}`} role="status">
			<span class="dot" aria-hidden="true" />
			<span>
				{lead && <span class="lead">{lead} </span>}
				{text}
			</span>
			{session.node && <span class="network">{session.node.network}</span>}
		</p>
	);
}
