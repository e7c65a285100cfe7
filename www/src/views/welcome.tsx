// Before the node runs: what this is, one button, and what went wrong if it did.

import { type Session, start } from "../lib/session.js";

/** What a person sees when the node stopped by itself. */
export function Stopped({ session }: { session: Session }) {
	return (
		<div class="welcome">
			<h1>Your node has stopped.</h1>
			<p class="banner bad" role="alert">
				{session.problem}
			</p>
			<p class="lead">What it keeps on this device is safe, and so are payments on their way.</p>
			<button type="button" class="primary big" onClick={() => void start()}>
				Start it again
			</button>
		</div>
	);
}

/** The first thing a person sees. */
export function Welcome({ session }: { session: Session }) {
	const starting = session.state === "starting";
	return (
		<div class="welcome">
			<h1>Your tab can be part of Nano.</h1>
			<p class="lead">
				One click turns this page into a node of the Nano network. It asks other people's tabs for
				balances, checks every answer itself, and answers theirs. Nothing to install, no account, no
				server to believe.
			</p>
			<button type="button" class="primary big" disabled={starting} onClick={() => void start()}>
				{starting ? "Starting…" : "Start my node"}
			</button>
			{session.state === "failed" && (
				<p class="banner bad" role="alert">
					The node could not start: {session.problem}
				</p>
			)}
			<ul class="promises">
				<li>
					<strong>Proven balances.</strong> An answer counts only with the signatures of
					representatives who hold two thirds of the voting weight.
				</li>
				<li>
					<strong>Your keys stay here.</strong> A wallet's seed is encrypted in this browser and
					never leaves it.
				</li>
				<li>
					<strong>No fees, no waiting list.</strong> Your own processor computes the little work a
					payment needs.
				</li>
			</ul>
		</div>
	);
}
