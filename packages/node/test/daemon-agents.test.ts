import { SECOND } from '@quorate/kernel';
import { it } from 'vitest';
import { checkConsole } from './console.js';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster(`  <rm>
    <service autostart="0" name="all">
      <ip address="10.0.0.58" sleeptime="0"/>
      <ip address="10.0.0.59" sleeptime="0"/>
    </service>
  </rm>
`),
  '/etc/fstab': '',
  '/etc/named.conf': 'options {\n\tlisten-on port 53 { any; };\n\tdirectory "/x";\n};\nzone "." { };\n',
  '/etc/openldap/slapd.conf': 'pidfile /x\nsuffix dc=example\n',
  '/etc/samba/smb.conf': '[global]\ninterfaces = eth0\n',
  '/etc/tomcat6/tomcat6.conf':
    '# of the administrator\nCATALINA_BASE="/opt/tomcat"\nCATALINA_HOME=/opt/tomcat\nCATALINA_TMPDIR=/opt/tomcat/temp\nTOMCAT_USER="tomcat"\n',
  '/etc/tomcat5/tomcat5.conf': 'CATALINA_HOME=/opt/tomcat\nCATALINA_TMPDIR=/none\n',
  '/opt/tomcat/conf/server.xml': '<Server>\n<Connector port="8080" address="x" />\n</Server>\n',
  '/opt/tomcat/temp/.keep': '',
};

it('daemon-agents.txt: daemons are started, asked after and stopped, and what is not there is said', () => {
  const machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  // rgmanager reads its services.
  machine.run(20 * SECOND);
  checkConsole('daemon-agents', machine);
});
