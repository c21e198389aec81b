import { describe, it } from 'vitest';
import { checkConsole } from './console.js';
import { TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const HTTPD_FILES = {
  '/etc/httpd/conf/httpd.conf': 'PidFile run/httpd.pid\nListen 80\nDocumentRoot "/var/www/html"\n',
  '/etc/httpd/conf/silent.conf': 'DocumentRoot "/var/www/html"\n',
  '/etc/httpd/conf/high.conf': 'Listen 99999\n',
  '/etc/httpd/run/.keep': '',
  '/var/www/html/index.html': '<h1>"Hello, World"</h1>\n',
  '/var/www/html/notes.txt': 'notes\n',
  '/var/www/html/sub/other.html': '\n',
};

describe('on a machine without a cluster', () => {
  it.each([
    ['processes', 'processes start, end, are killed and hand on what they have', {}],
    ['sh', 'a shell does what it reads', {}],
    ['sh-language', 'functions, case, arithmetic, read, printf and scripts', {}],
    ['chkconfig', 'chkconfig says what is started at boot', {}],
    ['files', 'files and directories are there, are not, and survive a boot', {}],
    ['sockets', 'sockets connect, listen and fail', {}],
    ['dd', 'dd copies blocks of files and of disks', {}],
    ['disks', 'disks answer by all their names', {}],
    ['ping', 'ping prints and ends as iputils', {}],
    ['network-tools', 'ip, ifconfig and arping change the interfaces', {}],
    ['httpd', 'httpd serves files', HTTPD_FILES],
  ])('%s.txt: %s', (name, _, files) => {
    const machine = new TestMachine({ files, programs: { ...TEST_PROGRAMS, '/etc/rc.d/rc': TEST_PROGRAMS.echo! } });
    machine.boot();
    checkConsole(name, machine);
  });
});
