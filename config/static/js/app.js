// Every module here is a comfort: each page does its whole job without any of them.
import { announce } from "./announce.js";
import { copy } from "./copy.js";
import { dialog } from "./dialog.js";
import { dropzone } from "./dropzone.js";
import { filters } from "./filters.js";
import { insert } from "./insert.js";
import { preview } from "./preview.js";
import { selection } from "./selection.js";
import { shortcuts } from "./shortcuts.js";

for (const start of [announce, copy, dialog, dropzone, filters, insert, preview, selection, shortcuts]) start(document);
