// Keeps one account of the open wallet current, and receives what is sent to it.
//
// States: started -> stopped, for good. Payments arrive by themselves, one after the other, if the account's key is
// here, the person has confirmed a backup, and they are not below the minimum; others wait until the person says so.

import type { AccountAnswer, NanoNode, Receivable } from "nanonet";
import { explain, t } from "./i18n.js";
import { type Helpers, OwnAccount, type Progress } from "./own-account.js";
import { ask } from "./session.js";
import { settings } from "./settings.js";
import type { OpenWallet } from "./wallet.js";

/** How often the own account is asked for besides being told of news. */
const RENEW_MS = 10_000;

/** What a keeper tells. */
export interface News {
	answer?: AccountAnswer;
	/** What is being received. */
	progress?: Progress | null;
	problem?: string | null;
	/** The root over which work is there. */
	workFor?: string | null;
}

/** Looks after one account. */
export class Keeper {
	/** What the account does. */
	readonly own: OwnAccount;
	readonly #node: NanoNode;
	readonly #account: OpenWallet;
	readonly #mayReceive: () => boolean;
	readonly #tell: (news: News) => void;
	readonly #closed = new AbortController();
	readonly #timer: ReturnType<typeof setInterval>;
	readonly #stopListening: () => void;
	#receiving = false;

	constructor(
		node: NanoNode,
		account: OpenWallet,
		mayReceive: () => boolean,
		helpers: Helpers,
		tell: (news: News) => void,
	) {
		this.#node = node;
		this.#account = account;
		this.#mayReceive = mayReceive;
		this.#tell = (news) => {
			if (!this.#closed.signal.aborted) tell(news);
		};
		this.own = new OwnAccount(node, account, helpers);
		node.watch(account.address).catch(() => {
			// The session hears of a node that fails; until then the timer asks.
		});
		this.#stopListening = node.on("record", ({ account: changed }) => {
			if (changed === account.address) void this.renew();
		});
		this.#timer = setInterval(() => void this.renew(), RENEW_MS);
		void this.renew(true);
	}

	/** Asks for the account now. */
	async renew(fresh = false): Promise<void> {
		try {
			const { answer } = await ask(this.#account.address, { fresh });
			this.#tell({ answer, problem: null });
			if (answer.state !== "unknown" && this.#account.privateKey !== null) this.#expect(answer);
			if (this.#mayReceive()) await this.#receiveAll(answer, atLeastMinimum);
		} catch (error) {
			this.#tell({ problem: explain(error) });
		}
	}

	/** Receives one payment that waits, whatever the minimum is. */
	async receive(hash: string): Promise<void> {
		const { answer } = await ask(this.#account.address);
		await this.#receiveAll(answer, (incoming) => incoming.hash === hash);
	}

	/** Lets go of the account. */
	stop(): void {
		this.#stopListening();
		clearInterval(this.#timer);
		this.#closed.abort();
		this.#node.unwatch(this.#account.address).catch(() => {
			// A node that is gone watches nothing.
		});
	}

	async #expect(answer: AccountAnswer): Promise<void> {
		if (await this.own.expect(answer)) this.#tell({ workFor: answer.frontier });
	}

	async #receiveAll(
		answer: AccountAnswer,
		wanted: (incoming: Receivable) => boolean,
	): Promise<void> {
		if (this.#receiving || !this.own.wants(answer, wanted)) return;
		this.#receiving = true;
		const tell = (progress: Progress) => this.#tell({ progress });
		try {
			while (await this.own.receive(tell, this.#closed.signal, wanted)) {
				this.#tell({ answer: (await ask(this.#account.address)).answer });
			}
		} catch (error) {
			this.#tell({ problem: t("wallet.notReceived", { why: explain(error) }) });
		} finally {
			this.#receiving = false;
			this.#tell({ progress: null });
		}
	}
}

const atLeastMinimum = ({ amount }: Receivable) => amount >= BigInt(settings().receiveMinimum);
