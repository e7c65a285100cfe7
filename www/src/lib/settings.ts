// What a person chose for this browser. Damaged or missing values become the defaults.

import { useEffect, useState } from "preact/hooks";

/** All choices. Amounts in raw, as decimal text. */
export interface Settings {
	/** Minutes without a key or a pointer after which the wallet locks. */
	lockMinutes: number;
	/** Payments below this are received only when the person says so. */
	receiveMinimum: string;
	/** From this amount on the page says that a full node should confirm. */
	highValue: string;
}

const PLACE = "nanonet-settings";
const NANO = 10n ** 30n;
/** The longest lock timer, in minutes: a day. */
export const MOST_LOCK_MINUTES = 1_440;
const DEFAULTS: Settings = {
	lockMinutes: 15,
	receiveMinimum: (NANO / 1_000_000n).toString(),
	highValue: (1_000n * NANO).toString(),
};

const isRaw = (value: unknown): value is string =>
	typeof value === "string" && /^\d{1,39}$/.test(value);

function read(): Settings {
	try {
		const { lockMinutes, receiveMinimum, highValue } = JSON.parse(
			localStorage.getItem(PLACE) ?? "{}",
		);
		const inRange =
			Number.isInteger(lockMinutes) && lockMinutes >= 1 && lockMinutes <= MOST_LOCK_MINUTES;
		return {
			lockMinutes: inRange ? lockMinutes : DEFAULTS.lockMinutes,
			receiveMinimum: isRaw(receiveMinimum) ? receiveMinimum : DEFAULTS.receiveMinimum,
			highValue: isRaw(highValue) ? highValue : DEFAULTS.highValue,
		};
	} catch {
		return DEFAULTS;
	}
}

let current: Settings | undefined;
const listeners = new Set<() => void>();

/** The choices now in force. */
export function settings(): Settings {
	current ??= read();
	return current;
}

/** Changes some of them. */
export function change(part: Partial<Settings>): void {
	current = { ...settings(), ...part };
	localStorage.setItem(PLACE, JSON.stringify(current));
	for (const listener of listeners) listener();
}

/** The choices, kept current in a component. */
export function useSettings(): Settings {
	const [value, set] = useState(settings);
	useEffect(() => {
		const listener = () => set(settings());
		listeners.add(listener);
		return () => {
			listeners.delete(listener);
		};
	}, []);
	return value;
}
