// The open wallet: balance, receiving, sending.
//
// Receives arrive by themselves, one after the other: each is built on the proven frontier and waits for its own
// proof before the next begins.

import type { AccountAnswer } from "nanonet";
import { useEffect, useRef, useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Proof } from "../components/proof.js";
import { Qr } from "../components/qr.js";
import { nanoExact, short } from "../lib/format.js";
import { ask, useNow, useSession } from "../lib/session.js";
import { type OpenWallet, type Progress, receive } from "../lib/wallet.js";
import { ProgressLine, Send } from "./wallet-send.js";

/** How often the own account is asked for besides being told of news. */
const RENEW_MS = 10_000;

const text = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The account of an open wallet. */
export function Account({
	wallet,
	shown,
	lock,
}: {
	wallet: OpenWallet;
	shown: boolean;
	lock: () => void;
}) {
	const { node, bridge } = useSession();
	const now = useNow();
	const [own, setOwn] = useState<AccountAnswer | null>(null);
	const [progress, setProgress] = useState<Progress | null>(null);
	const [problem, setProblem] = useState<string | null>(null);
	const busy = useRef(false);

	const renew = async (fresh = false) => {
		if (!node) return;
		try {
			const { answer } = await ask(wallet.address, { fresh });
			setOwn(answer);
			setProblem(null);
			await receiveAll(answer);
		} catch (error) {
			setProblem(text(error));
		}
	};
	const receiveAll = async (answer: AccountAnswer) => {
		const [incoming] = answer.receivable;
		if (!node || !incoming || busy.current) return;
		busy.current = true;
		try {
			await receive(node, wallet, answer, incoming, setProgress);
		} catch (error) {
			setProblem(`A payment could not be received yet: ${text(error)}`);
		} finally {
			busy.current = false;
			setProgress(null);
		}
		await renew();
	};

	useEffect(() => {
		if (!node) return;
		node.watch(wallet.address);
		void renew(true);
		const stop = node.on("record", ({ account }) => {
			if (account === wallet.address) void renew();
		});
		const timer = setInterval(() => void renew(), RENEW_MS);
		return () => {
			stop();
			clearInterval(timer);
			node.unwatch(wallet.address);
		};
	}, [node, wallet.address]);

	return (
		<div class="columns" hidden={!shown}>
			<div class="stack">
				<div class="card">
					<h2>Balance</h2>
					{own ? (
						<p class="balance">
							<span class="unit">Ӿ</span> {nanoExact(own.balance)}
						</p>
					) : (
						<p class="balance loading">…</p>
					)}
					{own?.opened && <Proof answer={own} now={now} />}
					{own && !own.opened && own.receivable.length === 0 && (
						<p class="empty">
							Nothing has arrived yet. Show your address to somebody
							{bridge?.faucet ? ", or get test coins below" : ""}.
						</p>
					)}
					{progress && <ProgressLine progress={progress} verb="Receiving" />}
					{problem && (
						<p class="banner bad" role="alert">
							{problem}
						</p>
					)}
					{bridge?.faucet && <Faucet address={wallet.address} done={() => void renew(true)} />}
				</div>
				<Send wallet={wallet} balance={own?.balance ?? 0n} sent={() => void renew(true)} />
			</div>
			<div class="card receive">
				<h2>Receive</h2>
				<Qr text={`nano:${wallet.address}`} label={`QR code of the address ${wallet.address}`} />
				<p class="address">
					<Copy text={wallet.address} shown={short(wallet.address)} name="your address" />
				</p>
				<p class="quiet">Payments arrive on their own while the wallet is open.</p>
				<button type="button" onClick={lock}>
					Lock the wallet
				</button>
			</div>
		</div>
	);
}

/** Test coins of a development network. */
function Faucet({ address, done }: { address: string; done: () => void }) {
	const [state, setState] = useState<"ready" | "asking" | string>("ready");
	const get = async () => {
		setState("asking");
		try {
			const response = await fetch("/v1/faucet", {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify({ account: address }),
			});
			if (!response.ok)
				throw new Error((await response.json()).message ?? `status ${response.status}`);
			setState("ready");
			done();
		} catch (error) {
			setState(text(error));
		}
	};
	return (
		<div>
			<button type="button" disabled={state === "asking"} onClick={get}>
				{state === "asking" ? "Asking…" : "Get test coins"}
			</button>
			{state !== "ready" && state !== "asking" && (
				<p class="banner bad" role="alert">
					{state}
				</p>
			)}
		</div>
	);
}
