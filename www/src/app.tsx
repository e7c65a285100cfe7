// The frame: a heading with the node's state, the views, and what the page asks to be believed.

import { useEffect, useRef, useState } from "preact/hooks";
import { StatePill } from "./components/state-pill.js";
import { t, useLanguage } from "./lib/i18n.js";
import { PROOF_FRAGMENT } from "./lib/proof-link.js";
import { dismiss, dismissAlarm, useSession } from "./lib/session.js";
import { takeUpdate, useUpdate } from "./lib/update.js";
import { watchIdleness } from "./lib/wallet-store.js";
import { AskView } from "./views/ask.js";
import { NodeView } from "./views/node.js";
import { ProofView } from "./views/proof.js";
import { SettingsView } from "./views/settings.js";
import { TrustView } from "./views/trust.js";
import { WalletView } from "./views/wallet.js";
import { Stopped, Welcome } from "./views/welcome.js";

const VIEWS = [
	{ id: "node", view: NodeView },
	{ id: "ask", view: AskView },
	{ id: "wallet", view: WalletView },
	{ id: "trust", view: TrustView },
	{ id: "settings", view: SettingsView },
] as const;

/** The views of the navigation, and the proof that a link brought. */
type Place = (typeof VIEWS)[number]["id"] | "proof";

/** The view that the address names; others, as that of the skip link, change nothing. */
function fromHash(): Place | undefined {
	const { hash } = location;
	if (hash.startsWith(PROOF_FRAGMENT)) return "proof";
	return VIEWS.find(({ id }) => hash === `#${id}` || hash.startsWith(`#${id}=`))?.id;
}

/** Says in the title and to a screen reader where the person is, once they have gone somewhere. */
function useArrival(shown: Place, running: boolean): void {
	const last = useRef(shown);
	const language = useLanguage();
	useEffect(() => {
		const named = running || shown === "proof";
		document.title = named ? `${t(`${shown}.title`)} · Nanonet` : "Nanonet";
		const heading = document.getElementById(`title-${shown}`);
		const inside = heading?.closest("section")?.contains(document.activeElement);
		if (last.current !== shown && !inside) heading?.focus();
		last.current = shown;
	}, [shown, running, language]);
}

/** The whole page. */
export function App() {
	const session = useSession();
	const [shown, show] = useState<Place>(fromHash() ?? "node");
	useLanguage();
	useEffect(() => {
		const follow = () => show((before) => fromHash() ?? before);
		addEventListener("hashchange", follow);
		const stopWatching = watchIdleness();
		return () => {
			removeEventListener("hashchange", follow);
			stopWatching();
		};
	}, []);
	const running = session.state === "running";
	useArrival(shown, running);
	return (
		<>
			<a class="skip" href="#content">
				{t("frame.skip")}
			</a>
			<header class="top">
				<a class="brand" href="#node">
					<img src="/icon.svg" alt="" width="28" height="28" />
					Nanonet
				</a>
				{running && (
					<nav aria-label={t("frame.views")}>
						{VIEWS.map(({ id }) => (
							<a key={id} href={`#${id}`} aria-current={id === shown ? "page" : undefined}>
								{t(`${id}.name`)}
							</a>
						))}
					</nav>
				)}
				<StatePill session={session} />
			</header>
			<Banners />
			<main id="content" tabIndex={-1}>
				{shown === "proof" && <ProofView />}
				{running &&
					VIEWS.map(({ id, view: View }) => (
						<section key={id} hidden={id !== shown} aria-labelledby={`title-${id}`}>
							<h1 class="visually-hidden" id={`title-${id}`} tabIndex={-1}>
								{t(`${id}.title`)}
							</h1>
							<View shown={id === shown} />
						</section>
					))}
				{shown !== "proof" && session.state === "stopped" && <Stopped session={session} />}
				{shown !== "proof" && !running && session.state !== "stopped" && (
					<Welcome session={session} />
				)}
			</main>
			<footer>
				<p>{t("frame.limit")}</p>
			</footer>
		</>
	);
}

/** What has to be seen on every view: alarms, notices, a newer version. */
function Banners() {
	const { alarm, notice } = useSession();
	const update = useUpdate();
	return (
		<>
			{alarm && (
				<p class="banner alarm" role="alert">
					{alarm}{" "}
					<button type="button" class="small" onClick={dismissAlarm}>
						{t("frame.close")}
					</button>
				</p>
			)}
			{notice && (
				<p class="banner bad" role="alert">
					{notice}{" "}
					<button type="button" class="small" onClick={dismiss}>
						{t("frame.close")}
					</button>
				</p>
			)}
			{update && (
				<p class="banner update" role="status">
					{t("update.ready")}{" "}
					<button type="button" class="small" onClick={takeUpdate}>
						{t("update.take")}
					</button>
				</p>
			)}
		</>
	);
}
