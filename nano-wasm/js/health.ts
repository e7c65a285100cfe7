// A node's state in words for a person, out of its status. Loaded when first used.

import type { Health, HealthProblem, NodeStatus } from "./types.js";

/** What is to be said of a status. */
export function healthOf(status: NodeStatus): Health {
	const problems = [...problemsOf(status)];
	const browsers = status.links.filter(({ role }) => role === "browser").length;
	const bridges = status.links.length - browsers;
	const level = status.state === "offline" ? "offline" : problems.length > 0 ? "limited" : "good";
	return { level, summary: summary(status, browsers, bridges), problems, browsers, bridges };
}

function summary({ state, records }: NodeStatus, browsers: number, bridges: number): string {
	if (state === "offline") return "Offline: answers only what it holds itself.";
	if (browsers + bridges === 0) return "Connecting to other nodes.";
	const held = records === 1 ? "1 account" : `${records} accounts`;
	return `Linked to ${browsers} browsers and ${bridges} bridges; holds ${held}.`;
}

function* problemsOf(status: NodeStatus): Generator<HealthProblem> {
	if (status.state === "offline") {
		yield {
			code: "offline",
			message: "There is no network. Payments wait and are sent when it returns.",
		};
	}
	if (status.weights.source === "none") {
		yield { code: "no-weights", message: "No voting weights are known, so nothing can be proven." };
	} else if (status.weights.stale) {
		yield {
			code: "stale-weights",
			message: "The table of voting weights is older than 90 days: high values are not proven.",
		};
	}
	const { problem } = status.storage;
	if (problem !== null) yield { code: "storage", message: `Storage: ${problem}.` };
	if (status.standing === "lapsed") {
		yield {
			code: "lapsed",
			message: "Its place in the network has lapsed; it asks and is answered while it renews it.",
		};
	}
	if (status.pending > 0) {
		const blocks = status.pending === 1 ? "1 own block is" : `${status.pending} own blocks are`;
		yield { code: "pending", message: `${blocks} not confirmed yet.` };
	}
}
