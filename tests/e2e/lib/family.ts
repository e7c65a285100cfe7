// Tabs of one browser context: of one origin and one storage, as a person has them open.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { until } from "./wait.js";

/** One tab of a family. */
export interface Member {
	page: Page;
	name: string;
}

/** Tabs of one context that share a node. */
export class Family {
	readonly #context: BrowserContext;
	readonly #url: string;
	readonly #options: object;
	readonly members: Member[] = [];
	readonly problems: string[] = [];
	#named = 0;

	private constructor(context: BrowserContext, url: string, options: object) {
		this.#context = context;
		this.#url = url;
		this.#options = { network: "dev", workThreads: 1, ...options };
	}

	static async open(browser: Browser, url: string, options: object = {}): Promise<Family> {
		const context = await browser.newContext();
		await context.addInitScript("globalThis.__name = (named) => named");
		return new Family(context, url, options);
	}

	/** Opens one more tab and starts its node. `prepare` runs before anything else in it. */
	async add(prepare?: () => void): Promise<Member> {
		const page = await this.#context.newPage();
		if (prepare) await page.addInitScript(prepare);
		this.#named += 1;
		const member = { page, name: `tab ${this.#named}` };
		page.on("pageerror", (error) => this.problems.push(`${member.name}: ${error.stack ?? error}`));
		await page.goto(this.#url);
		await until(`${member.name} has its scripts`, () =>
			page.evaluate(() => globalThis.ready === true),
		);
		await page.evaluate(async (options) => {
			const { NanoNode } = globalThis.nanonet;
			globalThis.node = await NanoNode.start(options);
		}, this.#options);
		this.members.push(member);
		return member;
	}

	/** Ends a tab: as a person closes it, or as a crash does. */
	async end(member: Member, how: "close" | "crash" = "close"): Promise<void> {
		this.members.splice(this.members.indexOf(member), 1);
		if (how === "crash") {
			const session = await this.#context.newCDPSession(member.page);
			// It never answers: there is nobody left.
			void session.send("Page.crash").catch(() => {});
			await until(`${member.name} has crashed`, async () =>
				member.page.evaluate(() => false).catch(() => true),
			);
		}
		await member.page.close();
	}

	/** Which tab runs the node; waits while it moves. */
	leader(): Promise<Member> {
		return until("one tab runs the node", async () => {
			const roles = await this.roles();
			const leading = this.members.filter((_, index) => roles[index] === "leading");
			return leading.length === 1 ? leading[0] : undefined;
		});
	}

	/** Where each tab's node runs. */
	roles(): Promise<string[]> {
		return Promise.all(
			this.members.map(({ page }) => page.evaluate(() => globalThis.node.role as string)),
		);
	}

	async close(): Promise<void> {
		await this.#context.close();
	}
}
