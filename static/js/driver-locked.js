// This phone is not signed in (any more): its stops and codes are gone at once, unsent proofs after a while.
import { lockedOut } from "./driver-store.js";

lockedOut();
