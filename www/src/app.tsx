// The frame: a heading with the node's state, three views, and what the page asks to be believed.

import { useEffect, useRef, useState } from "preact/hooks";
import { StatePill } from "./components/state-pill.js";
import { dismiss, start, startedBefore, useSession } from "./lib/session.js";
import { AskView } from "./views/ask.js";
import { NodeView } from "./views/node.js";
import { TrustView } from "./views/trust.js";
import { WalletView } from "./views/wallet.js";
import { Stopped, Welcome } from "./views/welcome.js";

const VIEWS = [
	{ id: "node", name: "Node", title: "Your node", view: NodeView },
	{ id: "ask", name: "Ask", title: "Ask for a balance", view: AskView },
	{ id: "wallet", name: "Wallet", title: "Your wallet", view: WalletView },
	{ id: "trust", name: "Trust", title: "What is trusted", view: TrustView },
] as const;

type ViewId = (typeof VIEWS)[number]["id"];

/** The view that the address names; others, as that of the skip link, change nothing. */
const fromHash = (): ViewId | undefined => VIEWS.find(({ id }) => `#${id}` === location.hash)?.id;

/** Says in the title and to a screen reader where the person is, once they have gone somewhere. */
function useArrival(shown: ViewId, running: boolean): void {
	const last = useRef(shown);
	useEffect(() => {
		const title = VIEWS.find(({ id }) => id === shown)?.title;
		document.title = running && title ? `${title} · Nanonet` : "Nanonet";
		const heading = document.getElementById(`title-${shown}`);
		const inside = heading?.closest("section")?.contains(document.activeElement);
		if (last.current !== shown && !inside) heading?.focus();
		last.current = shown;
	}, [shown, running]);
}

/** The whole page. */
export function App() {
	const session = useSession();
	const [shown, show] = useState<ViewId>(fromHash() ?? "node");
	useEffect(() => {
		const follow = () => show((before) => fromHash() ?? before);
		addEventListener("hashchange", follow);
		if (startedBefore()) void start();
		return () => removeEventListener("hashchange", follow);
	}, []);
	const running = session.state === "running";
	useArrival(shown, running);
	return (
		<>
			<a class="skip" href="#content">
				Skip to content
			</a>
			<header class="top">
				<a class="brand" href="#node">
					<img src="/icon.svg" alt="" width="28" height="28" />
					Nanonet
				</a>
				{running && (
					<nav aria-label="Views">
						{VIEWS.map(({ id, name }) => (
							<a key={id} href={`#${id}`} aria-current={id === shown ? "page" : undefined}>
								{name}
							</a>
						))}
					</nav>
				)}
				<StatePill session={session} />
			</header>
			{session.alarm && (
				<p class="banner alarm" role="alert">
					{session.alarm}
				</p>
			)}
			{session.notice && (
				<p class="banner bad" role="alert">
					{session.notice}{" "}
					<button type="button" class="small" onClick={dismiss}>
						Close
					</button>
				</p>
			)}
			<main id="content" tabIndex={-1}>
				{running &&
					VIEWS.map(({ id, title, view: View }) => (
						<section key={id} hidden={id !== shown} aria-labelledby={`title-${id}`}>
							<h1 class="visually-hidden" id={`title-${id}`} tabIndex={-1}>
								{title}
							</h1>
							<View shown={id === shown} />
						</section>
					))}
				{session.state === "stopped" && <Stopped session={session} />}
				{!running && session.state !== "stopped" && <Welcome session={session} />}
			</main>
			<footer>
				<p>
					Balances here are proven by the votes of Nano's representatives, and this tab checks them.
					That trusts two thirds of the voting weight to be honest: for high-value payments use a
					full node.
				</p>
			</footer>
		</>
	);
}
