// The debtor's pages need little, on any phone: a button that copies, a sum that follows the boxes, and their words said aloud.
import { announce } from "./announce.js";
import { copy } from "./copy.js";
import { total } from "./total.js";

for (const start of [announce, copy, total]) start(document);
