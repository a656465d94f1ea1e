/**
 * What the readers of other packages of nn share with this one: bytes read in parts, archives, and the words for a file that
 * is something else. For packages of nn, which are released together; it may change with any release.
 */
export { type InspectCommand, runInspectCommand } from './inspect/command.ts';
export { inspectionText } from './inspect/text.ts';
export { anyKind } from './rare-kinds.ts';
export { type DownloadOptions, downloadOptionNames } from './sources/download-options.ts';
export { type ByteReader, openBytes, partOf } from './sources/reader.ts';
export { type Member, readDirectory, readMember } from './zip/read.ts';
export { encodeZip } from './zip/write.ts';
