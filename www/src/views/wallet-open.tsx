// The open wallet: its accounts, and for the one that is shown the balance, sending, receiving and what lies further.

import { useMemo, useState } from "preact/hooks";
import { Field } from "../components/field.js";
import { Problem } from "../components/problem.js";
import { Proof } from "../components/proof.js";
import { ShareProof } from "../components/share-proof.js";
import { nano, nanoExact, short } from "../lib/format.js";
import { explain, t } from "../lib/i18n.js";
import { useNow, useSession } from "../lib/session.js";
import { useSettings } from "../lib/settings.js";
import {
	addAccount,
	choose,
	findAccounts,
	keep,
	keptOf,
	lock,
	MOST_ACCOUNTS,
	nameAccount,
	type Wallet,
} from "../lib/wallet-store.js";
import { Backup } from "./wallet-backup.js";
import { Book } from "./wallet-book.js";
import { Faucet } from "./wallet-faucet.js";
import { History } from "./wallet-history.js";
import { Pending } from "./wallet-pending.js";
import { ProgressLine } from "./wallet-progress.js";
import { Receive } from "./wallet-receive.js";
import { Representative } from "./wallet-representative.js";
import { Send } from "./wallet-send.js";
import { Signer } from "./wallet-sign.js";

/** The account that is shown, and all that can be done with the wallet. */
export function OpenWalletView({ wallet, shown }: { wallet: Wallet; shown: boolean }) {
	const { node, bridge } = useSession();
	const now = useNow();
	const account = wallet.accounts[wallet.chosen];
	const keeper = useMemo(() => node && account && keep(node, account), [node, account]);
	if (!account || !keeper || !node) return null;
	const { answer: own, progress, problem, workFor } = keptOf(wallet, account.address);
	const { backedUp, secret } = wallet.contents;
	return (
		<div class="columns" hidden={!shown}>
			<div class="stack">
				<Accounts wallet={wallet} />
				<div class="card">
					<h2>{t("wallet.balance")}</h2>
					{own && own.state !== "unknown" ? (
						<p class={`balance ${own.proof ? "" : "unproven-balance"}`}>
							<span class="unit">Ӿ</span> {nanoExact(own.balance)}
						</p>
					) : (
						<p class="balance loading">…</p>
					)}
					{own && own.state !== "unopened" && <Proof answer={own} now={now} folded />}
					{own?.proof && <ShareProof key={own.frontier} answer={own} network={node.network} />}
					{own?.state === "unopened" && own.receivable.length === 0 && (
						<p class="empty">
							{t("wallet.empty")} {bridge?.faucet && t("wallet.emptyFaucet")}
						</p>
					)}
					<Pending address={account.address} own={own} />
					{progress?.step === "working" && (
						<ProgressLine progress={progress} verb={t("progress.receiving")} />
					)}
					{own && <Waiting key={account.address} wallet={wallet} />}
					<Problem text={problem} />
					{bridge?.faucet && backedUp && (
						<Faucet address={account.address} done={() => void keeper.renew(true)} />
					)}
				</div>
				<Send
					key={account.address}
					wallet={wallet}
					account={keeper.own}
					balance={own && own.state !== "unknown" ? own.balance : null}
					workReady={own?.frontier != null && own.frontier === workFor}
					sent={() => void keeper.renew(true)}
				/>
			</div>
			<div class="stack">
				{backedUp ? (
					<Receive key={account.address} account={account} />
				) : (
					<Backup wallet={wallet} first />
				)}
				<div class="card more">
					<h2>{t("wallet.more")}</h2>
					<History wallet={wallet} address={account.address} />
					<Representative
						key={account.address}
						account={keeper.own}
						own={own}
						done={() => void keeper.renew(true)}
					/>
					<Book wallet={wallet} />
					{backedUp && <Backup wallet={wallet} />}
					{secret.kind !== "watch" && <Signer accounts={wallet.accounts} />}
					<p class="buttons">
						<button type="button" onClick={lock}>
							{t("wallet.lock")}
						</button>
					</p>
				</div>
			</div>
		</div>
	);
}

/** The wallet's accounts, one of which is shown. */
function Accounts({ wallet }: { wallet: Wallet }) {
	const [problem, setProblem] = useState<string | null>(null);
	const [found, setFound] = useState<number | "looking" | null>(null);
	const { accounts, chosen, contents } = wallet;
	const watched = contents.secret.kind === "watch";
	const nameOf = (place: number) =>
		contents.accounts[place]?.name || t("accounts.name", { n: place + 1 });
	const look = async () => {
		setFound("looking");
		setProblem(null);
		try {
			setFound(await findAccounts());
		} catch (error) {
			setFound(null);
			setProblem(explain(error));
		}
	};
	return (
		<div class="card accounts">
			<h2>{t("accounts.heading")}</h2>
			<ul class="account-list">
				{accounts.map(({ address }, place) => {
					const { answer } = keptOf(wallet, address);
					return (
						<li key={address}>
							<button
								type="button"
								class="account"
								aria-pressed={place === chosen}
								onClick={() => choose(place)}
							>
								<span>{nameOf(place)}</span>
								<span class="quiet">
									{answer?.state === "opened" ? `Ӿ ${nano(answer.balance)}` : short(address)}
								</span>
							</button>
						</li>
					);
				})}
			</ul>
			{watched ? (
				<p class="note">{t("accounts.watched")}</p>
			) : (
				<details>
					<summary>{t("accounts.manage")}</summary>
					<Field
						id="account-name"
						label={t("accounts.rename")}
						value={contents.accounts[chosen]?.name ?? ""}
						set={(name) => void nameAccount(chosen, name)}
						maxLength={40}
					/>
					<p class="buttons">
						<button
							type="button"
							disabled={accounts.length >= MOST_ACCOUNTS}
							onClick={() => void addAccount()}
						>
							{t("accounts.add")}
						</button>
						<button type="button" disabled={found === "looking"} onClick={() => void look()}>
							{found === "looking" ? t("accounts.finding") : t("accounts.find")}
						</button>
						<span role="status">
							{typeof found === "number" && t("accounts.found", { n: found })}
						</span>
					</p>
				</details>
			)}
			<Problem text={problem} />
		</div>
	);
}

/** Payments that do not arrive by themselves: too small, or signed elsewhere. */
function Waiting({ wallet }: { wallet: Wallet }) {
	const { node } = useSession();
	const { receiveMinimum } = useSettings();
	const account = wallet.accounts[wallet.chosen];
	if (!account || !node) return null;
	const { answer, progress } = keptOf(wallet, account.address);
	const { backedUp } = wallet.contents;
	const waiting = (answer?.receivable ?? []).filter(
		({ amount }) => !backedUp || account.privateKey === null || amount < BigInt(receiveMinimum),
	);
	if (waiting.length === 0) return null;
	return (
		<div class="waiting">
			<h3>{t("waiting.heading")}</h3>
			<p class="quiet">
				{t(
					!backedUp
						? "waiting.noBackup"
						: account.privateKey === null
							? "waiting.elsewhere"
							: "waiting.small",
				)}
			</p>
			<ul class="rows">
				{waiting.map(({ hash, amount, source }) => (
					<li key={hash}>
						<strong>Ӿ {nanoExact(amount)}</strong>
						<code class="quiet" dir="ltr" title={source}>
							{short(source)}
						</code>
						{backedUp && (
							<button
								type="button"
								class="small"
								disabled={progress !== null}
								onClick={() => void keep(node, account).receive(hash)}
							>
								{t("waiting.receive")}
							</button>
						)}
					</li>
				))}
			</ul>
		</div>
	);
}
