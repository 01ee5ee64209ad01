/**
 * The native addon, which `onward` loads by this name. Nothing in it is for users: it is a sub-path so that a bundler can be
 * told to leave `onward/native` out.
 *
 * @packageDocumentation
 */

declare const native: object
export = native
