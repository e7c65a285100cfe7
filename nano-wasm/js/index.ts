// The package: a node of the Nano network in a browser tab.

export { NanoError } from "./errors.js";
export type { RpcAnswer, RpcLabel, RpcRequest } from "./facade-types.js";
export type { TabRole } from "./host.js";
export { Messages, Registry, type SendOptions, Services } from "./messages.js";
export { NanoNode } from "./node.js";
export type * from "./options.js";
export type * from "./own-types.js";
export type { PaymentRequest } from "./payment-request.js";
export type { Stream } from "./stream.js";
export type * from "./types.js";
export { WorkAhead } from "./work-ahead.js";
export { WorkPool } from "./work-pool.js";
export type * from "./work-types.js";
