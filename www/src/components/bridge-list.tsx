// The bridges that this node knows, each with what it says of itself while somebody looks.

import { useEffect, useState } from "preact/hooks";
import { t } from "../lib/i18n.js";

/** How often they are asked while the list is in sight. */
const ASK_MS = 15_000;
/** How long one may take. */
const PATIENCE_MS = 4_000;
/** Bridges that are shown; a node may know more. */
const SHOWN = 8;

/** What a bridge says, as far as it is shown; nothing if it cannot be reached. */
interface Told {
	percent: number;
	fullNodes: number;
	links: number;
}

async function ask(address: string): Promise<Told | null> {
	try {
		const signal = AbortSignal.timeout(PATIENCE_MS);
		const response = await fetch(new URL("/v1/info", address), { signal });
		const info = await response.json();
		const told = {
			percent: Number(info.reach?.percent),
			fullNodes: Number(info.full_node_channels),
			links: Number(info.links),
		};
		return Object.values(told).every(Number.isFinite) ? told : null;
	} catch {
		return null;
	}
}

/** The card; it asks only while `shown`. */
export function BridgeList({ shown, addresses }: { shown: boolean; addresses: string[] }) {
	const [told, setTold] = useState<Record<string, Told | null>>({});
	const listed = addresses.slice(0, SHOWN);
	const names = listed.join(" ");
	useEffect(() => {
		if (!shown) return;
		let over = false;
		const look = () => {
			for (const address of listed) {
				void ask(address).then((one) => {
					if (!over) setTold((before) => ({ ...before, [address]: one }));
				});
			}
		};
		look();
		const timer = setInterval(look, ASK_MS);
		return () => {
			over = true;
			clearInterval(timer);
		};
	}, [shown, names]);
	return (
		<div class="card">
			<h2>{t("bridges.heading")}</h2>
			{listed.length === 0 ? (
				<p class="empty">{t("bridges.none")}</p>
			) : (
				<ul class="rows bridges">
					{listed.map((address) => {
						const one = told[address];
						return (
							<li key={address}>
								<code dir="ltr">{address}</code>
								<span class="quiet">
									{one === undefined && "…"}
									{one === null && t("bridges.silent")}
									{one &&
										[
											t("bridges.reach", { share: one.percent }),
											t("count.fullNodes", { n: one.fullNodes }),
											t("count.links", { n: one.links }),
										].join(" · ")}
								</span>
							</li>
						);
					})}
				</ul>
			)}
			<p class="quiet">{t("bridges.word")}</p>
		</div>
	);
}
