// The frame: a heading with the node's state, three views, and what the page asks to be believed.

import { useEffect, useState } from "preact/hooks";
import { StatePill } from "./components/state-pill.js";
import { start, startedBefore, useSession } from "./lib/session.js";
import { AskView } from "./views/ask.js";
import { NodeView } from "./views/node.js";
import { TrustView } from "./views/trust.js";
import { WalletView } from "./views/wallet.js";
import { Welcome } from "./views/welcome.js";

const VIEWS = [
	{ id: "node", name: "Node", view: NodeView },
	{ id: "ask", name: "Ask", view: AskView },
	{ id: "wallet", name: "Wallet", view: WalletView },
	{ id: "trust", name: "Trust", view: TrustView },
] as const;

type ViewId = (typeof VIEWS)[number]["id"];

const fromHash = (): ViewId => VIEWS.find(({ id }) => `#${id}` === location.hash)?.id ?? "node";

/** The whole page. */
export function App() {
	const session = useSession();
	const [shown, show] = useState<ViewId>(fromHash());
	useEffect(() => {
		const follow = () => show(fromHash());
		addEventListener("hashchange", follow);
		if (startedBefore()) void start();
		return () => removeEventListener("hashchange", follow);
	}, []);
	const running = session.state === "running";
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
			<main id="content" tabIndex={-1}>
				{running ? (
					VIEWS.map(({ id, view: View }) => (
						<section key={id} hidden={id !== shown} aria-label={id}>
							<View shown={id === shown} />
						</section>
					))
				) : (
					<Welcome session={session} />
				)}
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
