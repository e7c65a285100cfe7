// What is trusted here and why, one sentence each, with today's values.

import { ago } from "../lib/format.js";
import { t } from "../lib/i18n.js";
import { useNow, useSession } from "../lib/session.js";

/** The trust view. */
export function TrustView() {
	const { status } = useSession();
	const now = useNow();
	if (!status) return null;
	const { source, asOf, stale } = status.weights;
	return (
		<div class="narrow">
			<div class="card prose">
				<h2>{t("trust.heading")}</h2>
				<dl class="trust">
					<dt>{t("trust.balance")}</dt>
					<dd>{t("trust.balanceWhy")}</dd>
					<dt>{t("trust.weights")}</dt>
					<dd>
						{t("trust.weightsFrom", { source: t(`trust.source.${source}`) })}
						{asOf > 0 && ` ${t("trust.weightsAge", { ago: ago(asOf, now) })}`}{" "}
						{t("trust.weightsWhy")} {t(stale ? "trust.weightsStale" : "trust.weightsFresh")}
					</dd>
					{(["newest", "tabs", "keys", "limit"] as const).map((name) => (
						<>
							<dt key={name}>{t(`trust.${name}`)}</dt>
							<dd>{t(`trust.${name}Why`)}</dd>
						</>
					))}
				</dl>
			</div>
		</div>
	);
}
