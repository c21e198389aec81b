export { ImageInUseError } from '@quorate/scsi/node';
export { createVhdxFile, type OpenedVhdx, type OpenFileOptions, openVhdxFile } from './vhdx-file.js';
