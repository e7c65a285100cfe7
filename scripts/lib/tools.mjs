// Programs that only the laboratory needs, installed into target/tools when missing.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { find, root, run } from "./run.mjs";
import { Problem, say, step } from "./say.mjs";

/** Pinned, so that a new release cannot fail an old commit. */
const CARGO_DENY = "0.20.2";

/** @returns {Promise<string>} the path of cargo-deny, built from source when missing */
export async function cargoDeny() {
	const folder = join(root, "target", "tools", `cargo-deny-${CARGO_DENY}`);
	const path = join(folder, "bin", "cargo-deny");
	if (!existsSync(path)) {
		await step("Building cargo-deny (some minutes, once)", () =>
			run("cargo", [
				"install",
				"--quiet",
				"--locked",
				`cargo-deny@${CARGO_DENY}`,
				"--root",
				folder,
			]),
		);
	}
	return path;
}

/** @returns {Promise<string>} the path of a Firefox, Debian's package when root */
export async function firefox() {
	const names = ["firefox-esr", "firefox"];
	const there = () => names.map(find).find((path) => path !== undefined);
	const found = there();
	if (found) {
		say(`Firefox: ${found}`);
		return found;
	}
	if (process.getuid?.() === 0 && find("apt-get")) {
		await step("Installing Debian's firefox-esr (system package)", async () => {
			const env = { DEBIAN_FRONTEND: "noninteractive" };
			await run("apt-get", ["update", "-q"], { quiet: true, env });
			await run("apt-get", ["install", "-yq", "firefox-esr"], { quiet: true, env });
		});
		const path = there();
		if (path) return path;
	}
	throw new Problem(
		"There is no Firefox for the laboratory's tests.",
		"Install firefox-esr (or firefox) with your system's packages.",
	);
}
