// The packed package, installed into fresh projects, works as each tool's own defaults have it: no configuration, no
// plugin beyond what the tool needs to find any package.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { ledgerState, SEED } from "../e2e/lib/development.js";
import {
	type BridgeReady,
	type DevnetReady,
	type Server,
	startBridge,
	startDevnet,
} from "../e2e/lib/servers.js";
import { launch } from "../e2e/lib/tabs.js";
import { until } from "../e2e/lib/wait.js";

const run = promisify(execFile);
const here = fileURLToPath(new URL("./bundlers", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = (name: string) => join(here, "node_modules", ".bin", name);

/** What `projects/app.js` finds out. */
interface Answer {
	balance: string;
	nano: string;
	votes: number;
	work: string;
	told: string;
	verified: boolean;
}

let browser: Browser;
let devnet: Server<DevnetReady>;
let bridge: Server<BridgeReady>;
let account: string;
let work: string;
let pack: string;

before(async () => {
	browser = await launch();
	devnet = await startDevnet();
	bridge = await startBridge([
		...["--listen", "127.0.0.1:0", "--peer", devnet.ready.peering],
		...["--rpc", `http://${devnet.ready.rpc}`],
	]);
	// Within the folder of the tools, where Node.js finds them from.
	work = mkdtempSync(join(here, "fresh-"));
	const packed = await run("npm", ["pack", "--json", "--pack-destination", work], {
		cwd: join(root, "nano-wasm", "pkg"),
	});
	const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
	pack = join(work, filename);
	const core = await import(new URL("../../nano-wasm/pkg/server-core.js", import.meta.url).href);
	await core.initCore();
	account = core.deriveAccount(SEED, 0).address;
});

after(async () => {
	await browser?.close();
	await bridge?.kill();
	await devnet?.kill();
	if (work) rmSync(work, { recursive: true, force: true });
});

/** A project of its own with the package installed as npm installs it. */
async function fresh(name: string): Promise<string> {
	const folder = join(work, name);
	cpSync(join(here, "projects", name), folder, { recursive: true });
	for (const file of ["app.js", "page.js"]) {
		cpSync(join(here, "projects", file), join(folder, file));
	}
	writeFileSync(
		join(folder, "package.json"),
		`{ "name": "${name}", "private": true, "type": "module" }\n`,
	);
	// Ends the search for one, which would find this repository's own.
	const config = name === "next" ? "jsconfig.json" : "tsconfig.json";
	writeFileSync(join(folder, config), "{}\n");
	await run("npm", ["install", "--offline", "--no-audit", "--no-fund", pack], { cwd: folder });
	return folder;
}

/** What an answer must be, whoever gives it. */
async function holds(name: string, answer: Answer): Promise<void> {
	const truth = await ledgerState(devnet.ready.rpc, account);
	assert.equal(answer.balance, truth.balance.toString(), name);
	assert.equal(answer.told, answer.balance, name);
	assert.equal(answer.verified, true, name);
	assert.ok(answer.votes > 0, name);
	assert.equal(BigInt(answer.nano) * 10n ** 30n, truth.balance, name);
	assert.match(answer.work, /^[0-9a-f]{16}$/i, name);
}

const TYPES: Record<string, string> = {
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".wasm": "application/wasm",
};

/** Serves a folder as any web server does: what is not there is 404. */
async function serve(folder: string): Promise<{ url: string; server: HttpServer }> {
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url ?? "/", "http://localhost");
		try {
			const body = readFileSync(join(folder, decodeURIComponent(pathname)));
			const type = TYPES[extname(pathname)] ?? "application/octet-stream";
			response.writeHead(200, { "content-type": type }).end(body);
		} catch {
			response.writeHead(404).end();
		}
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const query = () => new URLSearchParams({ bridge: bridge.ready.url, account }).toString();

/** Opens a project's page and waits for its answer. */
async function opens(name: string, url: string): Promise<{ inlined: string[] }> {
	const context = await browser.newContext();
	try {
		const page = await context.newPage();
		/** Scripts that hold files of the package. */
		const inlined: string[] = [];
		const looked: Promise<void>[] = [];
		page.on("response", (response) => {
			const { pathname } = new URL(response.url());
			if (response.ok() && extname(pathname) === ".js") {
				const look = (body: string) => {
					if (PACKED.test(body)) inlined.push(pathname);
				};
				looked.push(response.text().then(look, () => {}));
			}
		});
		const said: string[] = [];
		page.on("console", (message) => said.push(message.text()));
		page.on("pageerror", (error) => said.push(String(error.stack ?? error)));
		await page.goto(url);
		const answer = await until(
			`${name} answers (${url})`,
			async () => {
				const told = await page.evaluate(() => {
					const { answer, failure } = globalThis as { answer?: Answer; failure?: string };
					return { answer, failure };
				});
				assert.equal(told.failure, undefined, `${name}: ${said.join("\n")}`);
				return told.answer;
			},
			60_000,
		);
		await holds(name, answer);
		await Promise.all(looked);
		return { inlined };
	} finally {
		await context.close();
	}
}

/** How the files begin that are inside scripts once more: by gzip and base64. */
const PACKED = /["'`]H4sI/;

async function opensFolder(
	name: string,
	folder: string,
	path: string,
): Promise<{ inlined: string[] }> {
	const { url, server } = await serve(folder);
	try {
		return await opens(name, `${url}/${path}${path.includes("?") ? "&" : "?"}${query()}`);
	} finally {
		server.close();
	}
}

/** A port that is free now. */
async function freePort(): Promise<number> {
	const probe = createNetServer().listen(0, "127.0.0.1");
	await once(probe, "listening");
	const { port } = probe.address() as AddressInfo;
	probe.close();
	await once(probe, "close");
	return port;
}

/** Runs a server until `use` is done with its address. */
async function serving(
	command: string,
	args: string[],
	folder: string,
	port: number,
	use: (url: string) => Promise<void>,
): Promise<void> {
	const child: ChildProcess = spawn(command, args, {
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe"],
	});
	let said = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on("data", (text) => {
			said = `${said}${text}`.slice(-8_000);
		});
	}
	const gone = once(child, "exit");
	try {
		const url = `http://127.0.0.1:${port}`;
		await until(`${command} serves`, async () => (await fetch(url)).ok).catch((error) => {
			throw new Error(said, { cause: error });
		});
		await use(url);
	} finally {
		child.kill();
		await gone;
	}
}

test("no bundler: a page imports the package's files as they are", async () => {
	const folder = await fresh("script");
	const { inlined } = await opensFolder("script", folder, "index.html");
	assert.deepEqual(inlined, []);
});

test("Vite builds it", async () => {
	const folder = await fresh("vite");
	await run(bin("vite"), ["build"], { cwd: folder });
	const { inlined } = await opensFolder("Vite", join(folder, "dist"), "index.html");
	assert.deepEqual(inlined, []);
});

test("Vite's development server serves it", async () => {
	const folder = await fresh("vite");
	const port = await freePort();
	const args = ["--host", "127.0.0.1", "--port", String(port), "--strictPort"];
	await serving(bin("vite"), args, folder, port, async (url) => {
		await opens("Vite, development", `${url}/index.html?${query()}`);
	});
});

test("webpack builds it", async () => {
	const folder = await fresh("webpack");
	await run(bin("webpack"), ["--mode", "production", "--entry", "./page.js"], { cwd: folder });
	const { inlined } = await opensFolder("webpack", folder, "index.html");
	assert.deepEqual(inlined, []);
});

for (const format of ["iife", "esm"]) {
	test(`esbuild builds it (${format})`, async () => {
		const folder = await fresh("esbuild");
		const args = ["page.js", "--bundle", `--outdir=dist/${format}`];
		if (format === "esm") args.push("--format=esm", "--splitting");
		await run(bin("esbuild"), args, { cwd: folder });
		const page = `index.html?format=${format}`;
		const { inlined } = await opensFolder(`esbuild ${format}`, folder, page);
		assert.notDeepEqual(inlined, []);
	});
}

test("Rollup builds it", async () => {
	const folder = await fresh("rollup");
	const args = ["page.js", "--dir", "dist", "--plugin", "@rollup/plugin-node-resolve"];
	await run(bin("rollup"), args, { cwd: folder });
	const { inlined } = await opensFolder("Rollup", folder, "index.html");
	assert.notDeepEqual(inlined, []);
});

test("Next.js builds it and renders a page that imports it on the server", async () => {
	const folder = await fresh("next");
	await run(bin("next"), ["build"], {
		cwd: folder,
		env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
	});
	const port = await freePort();
	const args = ["start", "--hostname", "127.0.0.1", "--port", String(port)];
	await serving(bin("next"), args, folder, port, async (url) => {
		assert.match(await (await fetch(url)).text(), /Rendered on the server/);
		await opens("Next.js", `${url}/?${query()}`);
	});
});

test("Node.js runs it", async () => {
	const folder = await fresh("node");
	const { stdout } = await run(process.execPath, ["main.js", bridge.ready.url, account], {
		cwd: folder,
	});
	await holds("Node.js", JSON.parse(stdout) as Answer);
});

test("Deno runs it", async () => {
	const folder = await fresh("node");
	const args = ["run", "--allow-all", "main.js", bridge.ready.url, account];
	const { stdout } = await run(bin("deno"), args, { cwd: folder });
	await holds("Deno", JSON.parse(stdout) as Answer);
});
