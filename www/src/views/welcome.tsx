// Before the node runs: what this is, one button, and what went wrong if it did.

import { LanguageChoice } from "../components/language-choice.js";
import { Problem } from "../components/problem.js";
import { t } from "../lib/i18n.js";
import { type Session, start } from "../lib/session.js";

/** What a person sees when the node stopped by itself. */
export function Stopped({ session }: { session: Session }) {
	return (
		<div class="welcome">
			<h1>{t("stopped.title")}</h1>
			<Problem text={session.problem} />
			<p class="lead">{t("stopped.safe")}</p>
			<button type="button" class="primary big" onClick={() => void start()}>
				{t("stopped.again")}
			</button>
		</div>
	);
}

/** The first thing a person sees. */
export function Welcome({ session }: { session: Session }) {
	const starting = session.state === "starting";
	return (
		<div class="welcome">
			<h1>{t("welcome.title")}</h1>
			<p class="lead">{t("welcome.lead")}</p>
			<button type="button" class="primary big" disabled={starting} onClick={() => void start()}>
				{starting ? t("welcome.starting") : t("welcome.start")}
			</button>
			{session.state === "failed" && (
				<Problem text={t("welcome.failed", { why: session.problem ?? "" })} />
			)}
			<ul class="promises">
				{(["proven", "keys", "free"] as const).map((name) => (
					<li key={name}>
						<strong>{t(`welcome.${name}`)}</strong> {t(`welcome.${name}Why`)}
					</li>
				))}
			</ul>
			<LanguageChoice />
		</div>
	);
}
