// This phone is not signed in (any more): whatever it kept is gone.
import { wipe } from "./driver-store.js";

wipe();
