// A block's way in one line, with a bar while something is waited for.

import { t } from "../lib/i18n.js";
import type { Progress } from "../lib/own-account.js";
import { useSession } from "../lib/session.js";
import { whereItStands } from "../lib/transactions.js";

/** The line; `verb` is what is being done. */
export function ProgressLine({ progress, verb }: { progress: Progress; verb: string }) {
	const { transactions } = useSession();
	const step = {
		queued: t("progress.queued"),
		signing: t("progress.signing"),
		working: t("progress.working"),
		publishing: whereItStands("hash" in progress ? transactions.get(progress.hash) : undefined),
		confirmed: "",
	}[progress.step];
	return (
		<div class={`progress ${progress.step}`} role="status">
			<p>
				{progress.step === "confirmed"
					? t("progress.confirmed")
					: t("progress.line", { verb, step })}
			</p>
			{progress.step === "working" ? (
				<progress max={1} value={progress.fraction} aria-label={t("progress.chance")} />
			) : (
				progress.step === "publishing" && <progress aria-label={t("progress.votes")} />
			)}
		</div>
	);
}
