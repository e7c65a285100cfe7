// The package's `work` entry: the worker pool alone, without a node.

export { NanoError } from "./errors.js";
export { WorkAhead } from "./work-ahead.js";
export { WorkPool } from "./work-pool.js";
export type * from "./work-types.js";
