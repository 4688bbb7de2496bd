// The debtor's pages need little, on any phone: a button that copies, and its word said aloud.
import { announce } from "./announce.js";
import { copy } from "./copy.js";

for (const start of [announce, copy]) start(document);
