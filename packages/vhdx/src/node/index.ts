export { ImageInUseError } from './image-lock.js';
export { createVhdxFile, type OpenedVhdx, type OpenFileOptions, openVhdxFile } from './vhdx-file.js';
