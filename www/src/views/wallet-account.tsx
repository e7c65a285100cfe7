// The open wallet: balance, receiving, sending.
//
// Receives arrive by themselves, one after the other; `OwnAccount` says on what they are built and in which order.

import type { AccountAnswer } from "nanonet";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Copy } from "../components/copy.js";
import { Proof } from "../components/proof.js";
import { Qr } from "../components/qr.js";
import { nanoExact, short } from "../lib/format.js";
import { OwnAccount, type Progress } from "../lib/own-account.js";
import { ask, useNow, useSession } from "../lib/session.js";
import type { OpenWallet } from "../lib/wallet.js";
import { Pending } from "./wallet-pending.js";
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
	/** The root over which work is there. */
	const [workFor, setWorkFor] = useState<string | null>(null);
	const receiving = useRef(false);
	const closed = useRef(new AbortController());
	const account = useMemo(() => node && new OwnAccount(node, wallet), [node, wallet]);

	const renew = async (fresh = false) => {
		try {
			const { answer } = await ask(wallet.address, { fresh });
			setOwn(answer);
			setProblem(null);
			if (answer.state !== "unknown") expect(answer);
			await receiveAll(answer);
		} catch (error) {
			setProblem(text(error));
		}
	};
	const expect = (answer: AccountAnswer) =>
		account?.expect(answer).then((there) => there && setWorkFor(answer.frontier));
	const receiveAll = async (answer: AccountAnswer) => {
		if (!account?.wants(answer) || receiving.current) return;
		receiving.current = true;
		try {
			while (await account.receive(setProgress, closed.current.signal)) {
				setOwn((await ask(wallet.address)).answer);
			}
		} catch (error) {
			if (!closed.current.signal.aborted) {
				setProblem(`A payment could not be received yet: ${text(error)}`);
			}
		} finally {
			receiving.current = false;
			setProgress(null);
		}
	};

	useEffect(() => {
		if (!node) return;
		closed.current = new AbortController();
		void node.watch(wallet.address);
		void renew(true);
		const stop = node.on("record", ({ account: changed }) => {
			if (changed === wallet.address) void renew();
		});
		const timer = setInterval(() => void renew(), RENEW_MS);
		return () => {
			stop();
			clearInterval(timer);
			closed.current.abort();
			node.unwatch(wallet.address).catch(() => {
				// A node that is gone watches nothing.
			});
		};
	}, [node, wallet.address]);

	return (
		<div class="columns" hidden={!shown}>
			<div class="stack">
				<div class="card">
					<h2>Balance</h2>
					{own && own.state !== "unknown" ? (
						<p class="balance">
							<span class="unit">Ӿ</span> {nanoExact(own.balance)}
						</p>
					) : (
						<p class="balance loading">…</p>
					)}
					{own && own.state !== "unopened" && <Proof answer={own} now={now} />}
					{own?.state === "unopened" && own.receivable.length === 0 && (
						<p class="empty">
							Nothing has arrived yet. Show your address to somebody
							{bridge?.faucet ? ", or get test coins below" : ""}.
						</p>
					)}
					<Pending address={wallet.address} own={own} />
					{progress?.step === "working" && <ProgressLine progress={progress} verb="Receiving" />}
					{problem && (
						<p class="banner bad" role="alert">
							{problem}
						</p>
					)}
					{bridge?.faucet && <Faucet address={wallet.address} done={() => void renew(true)} />}
				</div>
				{account && (
					<Send
						account={account}
						balance={own && own.state !== "unknown" ? own.balance : null}
						workReady={own?.frontier != null && own.frontier === workFor}
						sent={() => void renew(true)}
					/>
				)}
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
		<div class="faucet">
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
