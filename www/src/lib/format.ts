// How numbers, addresses and times read. Amounts stay exact: raw is a bigint, one nano is 10^30 raw. They are written
// alike in every language, because people type and compare them digit by digit.

import { currentLanguage } from "./i18n.js";

const RAW_PER_NANO = 10n ** 30n;

/** An amount in nano, rounded down to `places` decimals, with digit groups. */
export function nano(raw: bigint, places = 6): string {
	const whole = raw / RAW_PER_NANO;
	const fraction = (raw % RAW_PER_NANO).toString().padStart(30, "0").slice(0, places);
	const trimmed = fraction.replace(/0+$/, "");
	if (whole === 0n && trimmed === "" && raw > 0n) return `< 0.${"0".repeat(places - 1)}1`;
	return `${whole.toLocaleString("en")}${trimmed ? `.${trimmed}` : ""}`;
}

/** All digits of an amount in nano. */
export function nanoExact(raw: bigint): string {
	return nano(raw, 30);
}

/** All digits of an amount in nano as a person would type it. */
export function nanoPlain(raw: bigint): string {
	return nanoExact(raw).replaceAll(",", "");
}

/** Start and end of an address, enough to tell two apart by eye. */
export function short(address: string): string {
	return address.length > 24 ? `${address.slice(0, 11)}…${address.slice(-7)}` : address;
}

/** Start of a hash. */
export function shortHash(hash: string): string {
	return hash.length > 16 ? `${hash.slice(0, 8)}…${hash.slice(-6)}` : hash;
}

const UNITS = [
	["day", 86_400],
	["hour", 3_600],
	["minute", 60],
	["second", 1],
] as const;

/** How long ago, in words. */
export function ago(at: number, now: number): string {
	const seconds = Math.max(0, Math.round((now - at) / 1000));
	const words = new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" });
	const [unit, size] = UNITS.find(([, least]) => seconds >= least * (least > 1 ? 1.5 : 1)) ?? [
		"second",
		1,
	];
	return words.format(-Math.round(seconds / size), unit);
}

/** A point in time in the person's words. */
export function moment(at: number): string {
	return new Date(at).toLocaleString(currentLanguage());
}

/** Part of a whole in percent, to the nearest decimal. */
export function percent(part: bigint, whole: bigint): string {
	if (whole === 0n) return "0 %";
	const tenths = Number((part * 2000n + whole) / (whole * 2n));
	return `${(tenths / 10).toFixed(1)} %`;
}

/** Bytes with a unit. */
export function bytes(count: number): string {
	if (count < 1000) return `${count} B`;
	if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
	return `${(count / 1_000_000).toFixed(1)} MB`;
}
