// Which amounts need more than this page's word.

import { settings } from "./settings.js";

const NANO = 10n ** 30n;
const DAY_MS = 86_400_000;
/** As the node has it: weights older than this call no high value proven. */
const STALE_MS = 90 * DAY_MS;

/** Whether a full node should confirm an amount, too, as the person set it. */
export const isHighValue = (raw: bigint): boolean => raw >= BigInt(settings().highValue);

/** Amounts from this one on are not proven by weights of this date; `null` if all are. */
export const staleLimit = (weightsAsOf: number, now: number): bigint | null =>
	now - weightsAsOf > STALE_MS ? 1_000n * NANO : null;
