import { CLUSTER_CONF } from '@quorate/lab';
import type { Chapter, Line, Step } from './step.js';

// What the three posts "Setting up Linux Operating System Clusters on Hyper-V" type on the machines, and print. Parts 1 and 3 are
// quoted; of part 2 the values of its captures are known. Hyper-V's own dialogues are done: there are five machines and two disks.

const ALL = [1, 2, 3, 4, 5];
const VERSION = /config_version="\d+"/;
const DEVICE = '/dev/mapper/my--vg1-my--store1';

/** The configuration before part 3 adds services; the version is that of the captures. */
const CONF = CLUSTER_CONF.replace(VERSION, 'config_version="33"').replace(/ {2}<rm>[\s\S]*<\/rm>/, '  <rm/>');
const CONF_WITH_SERVICE = CLUSTER_CONF.replace(VERSION, 'config_version="34"');

const PAGE = '<html> <body> <h1> "Hello, World" (test page)</h1>  </body> </html>';
const HTTPD =
  /^root .* \/usr\/sbin\/httpd -Dmy_apache -d \/etc\/httpd -f \/etc\/cluster\/apache\/apache:my_apache\/httpd\.conf -k start$/;

const step = (on: string, type: string, more: Partial<Step> = {}): Step => ({ on, type, ...more });
const vm = (number: number, type: string, more: Partial<Step> = {}): Step => step(`my-vm${number}`, type, more);
const outside = (type: string, more: Partial<Step> = {}): Step => step('host', type, more);
const wait = (seconds: number): Step => outside(`wait ${seconds}`);
const everywhere = (type: string, more: Partial<Step> = {}): Step[] => ALL.map((number) => vm(number, type, more));
const written = (path: string, text: string): string => `cat > ${path} <<EOF\n${text}EOF`;

/** clustat as part 3 prints it, but for the time. */
function clustat(me: number, online: readonly number[], owner: string): readonly Line[] {
  const members = ALL.map((id) => {
    const state = online.includes(id) ? `Online, ${id === me ? 'Local, ' : ''}rgmanager` : 'Offline';
    return `my-vm${id} ${id} ${state}`;
  });
  return [
    /^Cluster Status for my-cluster @ /,
    'Member Status: Quorate',
    'Member Name ID Status',
    '------ ---- ---- ------',
    ...members,
    '/dev/block/8:33 0 Online, Quorum Disk',
    'Service Name Owner (Last) State',
    '------- ---- ----- ------ -----',
    `service:my_service_group ${owner} started`,
  ];
}

const HOSTS = `127.0.0.1 localhost localhost.localdomain localhost4 localhost4.localdomain4
::1       localhost localhost.localdomain localhost6 localhost6.localdomain6

10.156.76.74      my-vm1
10.156.76.92      my-vm2
10.156.76.48      my-vm3
10.156.76.79      my-vm4
10.156.76.75      my-vm5
`;

const KEYS_ARE_SORTED =
  'keys are compared without their order, which is that of the registrations; the generation is 0x158 there';

export const WALKTHROUGH: readonly Chapter[] = [
  {
    title: 'Part 1: five CentOS 6.7 machines with shared disks',
    steps: [
      ...everywhere(written('/etc/hosts', HOSTS)),
      vm(1, 'cat /etc/hosts', { shows: HOSTS.split('\n').filter(Boolean), isWhole: true }),
      vm(1, 'ping -c1 my-vm5', { shows: [/^1 packets transmitted, 1 received, 0% packet loss/] }),
      vm(1, 'fdisk -l', {
        shows: [/^Disk \/dev\/sdb: 107\.4 GB, 107374182400 bytes$/, /^Disk \/dev\/sdc: 1073 MB, 1073741824 bytes$/],
      }),
    ],
  },
  {
    title: 'Part 2: the packages, and what is started at boot',
    steps: [
      vm(1, 'yum groupinstall "High Availability Management"', { differs: 'all packages are installed already' }),
      ...everywhere('yum groupinstall "High Availability" "Resilient Storage"'),
      ...['iptables', 'ip6tables', 'NetworkManager'].flatMap((name) => everywhere(`chkconfig ${name} off`)),
      ...everywhere('setenforce 0'),
      ...everywhere('passwd ricci'),
      ...everywhere('chkconfig ricci on'),
      ...everywhere('service ricci start', { shows: [/^Starting ricci: .*OK/] }),
      ...['cman', 'clvmd', 'rgmanager', 'modclusterd', 'gfs2'].flatMap((name) => everywhere(`chkconfig ${name} on`)),
      vm(1, 'chkconfig --list cman', { shows: ['cman 0:off 1:off 2:on 3:on 4:on 5:on 6:off'], isWhole: true }),
    ],
  },
  {
    title: 'Part 2: the quorum disk',
    steps: [
      vm(1, 'fdisk /dev/sdc <<EOF\nn\np\n1\n\n\nw\nEOF', { shows: ['Syncing disks.'] }),
      ...[2, 3, 4, 5].map((number) => vm(number, 'partprobe /dev/sdc')),
      vm(1, 'echo y | mkqdisk -c /dev/sdc1 -l myqdisk', {
        shows: [/^Writing new quorum disk label 'myqdisk' to \/dev\/sdc1\./],
      }),
      vm(5, 'mkqdisk -L', { shows: ['/dev/block/8:33:', '/dev/sdc1:', 'Magic: eb7a62c2', 'Label: myqdisk'] }),
    ],
  },
  {
    title: 'Part 2: the cluster, with fencing by persistent reservations',
    steps: [
      ...everywhere(written('/etc/cluster/cluster.conf', CONF), {
        differs:
          'the file as luci and the edits of the post leave it; it is written on every node, where luci spreads it',
      }),
      vm(1, 'ccs_config_validate', { shows: ['Configuration validates'] }),
      ...everywhere('reboot'),
      wait(75),
      ...['cman', 'clvmd', 'rgmanager'].map((name) => vm(1, `service ${name} status`, { shows: [/running/] })),
      vm(1, 'clustat', {
        shows: [
          'Member Status: Quorate',
          ...ALL.map((id) => `my-vm${id} ${id} Online${id === 1 ? ', Local' : ''}`),
          '/dev/block/8:33 0 Online, Quorum Disk',
        ],
      }),
      vm(1, 'cman_tool status', {
        shows: [
          'Version: 6.2.0',
          'Config Version: 33',
          'Cluster Name: my-cluster',
          'Cluster Id: 25554',
          'Cluster Generation: 6604',
          'Nodes: 5',
          'Expected votes: 9',
          'Quorum device votes: 4',
          'Total votes: 9',
          'Node votes: 1',
          'Quorum: 5',
          'Active subsystems: 11',
          'Flags:',
          'Ports Bound: 0 11 177 178',
          'Node name: my-vm1',
          'Node ID: 1',
          'Multicast addresses: 239.192.99.54',
          'Node addresses: 10.156.76.74',
        ],
      }),
      vm(1, 'sg_persist -i -k /dev/sdb', {
        shows: ['Msft Virtual Disk 1.0', /5 registered reservation keys follow:$/],
        differs: KEYS_ARE_SORTED,
      }),
      vm(1, 'sg_persist -i -k /dev/sdb | grep 0x63d | sort', { shows: keys(ALL), isWhole: true }),
      vm(1, 'sg_persist -i -r /dev/sdb', {
        shows: [/Key=0x63d2000[1-5]/, /scope: LU_SCOPE, type: Write Exclusive, registrants only/],
        differs: 'the holder is my-vm5 there: whoever was unfenced first',
      }),
    ],
  },
  {
    title: 'Part 2: the clustered volume and GFS2',
    steps: [
      vm(1, 'fdisk /dev/sdb <<EOF\nn\np\n1\n\n+30G\nt\n8e\nw\nEOF', { shows: ['Syncing disks.'] }),
      vm(1, 'fdisk -l /dev/sdb', {
        shows: [
          'Disk /dev/sdb: 107.4 GB, 107374182400 bytes',
          '255 heads, 63 sectors/track, 13054 cylinders',
          '/dev/sdb1 1 3917 31463271 8e Linux LVM',
        ],
      }),
      ...[2, 3, 4, 5].map((number) => vm(number, 'partprobe /dev/sdb')),
      vm(1, 'pvcreate /dev/sdb1', { shows: ['Physical volume "/dev/sdb1" successfully created'] }),
      vm(1, 'vgcreate my-vg1 /dev/sdb1', { shows: ['Clustered volume group "my-vg1" successfully created'] }),
      vm(1, 'lvcreate -L 20G -n my-store1 my-vg1', { shows: ['Logical volume "my-store1" created.'] }),
      vm(1, `echo y | mkfs.gfs2 -p lock_dlm -t my-cluster:storage -j5 -J8 ${DEVICE}`, {
        shows: [`Device: ${DEVICE}`, 'Journals: 5', 'Lock table: "my-cluster:storage"'],
        differs: '-J8: journals of 8 MiB keep the disk small; the table is that of gfs2-utils 3.5',
      }),
      ...everywhere('mkdir /mydata'),
      ...everywhere(`echo '${DEVICE} /mydata gfs2 defaults 0 0' >> /etc/fstab`),
      ...everywhere('mount /mydata'),
      vm(5, 'mount', { shows: [/^\/dev\/mapper\/my--vg1-my--store1 on \/mydata type gfs2 /] }),
    ],
  },
  {
    title: 'Part 2: a file that all nodes see',
    steps: [
      vm(1, 'echo "written on node 1" > /mydata/a.txt'),
      vm(3, 'cat /mydata/a.txt', { shows: ['written on node 1'], isWhole: true }),
      vm(3, 'echo "appended on node 3" >> /mydata/a.txt'),
      ...everywhere('cat /mydata/a.txt', { shows: ['written on node 1', 'appended on node 3'], isWhole: true }),
    ],
  },
  {
    title: 'Part 2: node 5 is paused, fenced, and comes back',
    steps: [
      outside('pause my-vm5'),
      wait(45),
      vm(1, 'cman_tool status', { shows: ['Nodes: 4', 'Total votes: 8', 'Quorum: 5'] }),
      vm(1, 'sg_persist -i -k /dev/sdb | grep 0x63d | sort', { shows: keys([1, 2, 3, 4]), isWhole: true }),
      vm(1, 'dmesg | grep -e "jid=4\\|closing"', {
        shows: [
          /^dlm: closing connection to node 5/,
          /^GFS2: fsid=my-cluster:storage\.\d: jid=4: Trying to acquire journal (gl|l)ock\.\.\./,
        ],
        differs: 'whose journal is jid=4, and who replays it, is left to the order of the mounts; so are the counts',
      }),
      outside('resume my-vm5'),
      wait(100),
      vm(1, 'cman_tool status', { shows: ['Nodes: 5', 'Total votes: 9'] }),
      vm(1, 'sg_persist -i -k /dev/sdb | grep 0x63d | sort', { shows: keys(ALL), isWhole: true }),
      vm(5, 'cat /mydata/a.txt', { shows: ['written on node 1', 'appended on node 3'], isWhole: true }),
    ],
  },
  {
    title: 'Part 2: node 3 loses its network, reboots, and comes back',
    steps: [
      // Two clocks race from here: half a second later the ring is lost before the heuristic has failed ten times.
      wait(1),
      vm(3, 'ifconfig eth0 down'),
      wait(45),
      vm(1, 'cman_tool status', { shows: ['Nodes: 4', 'Total votes: 8'] }),
      vm(1, 'sg_persist -i -k /dev/sdb | grep 0x63d | sort', { shows: keys([1, 2, 4, 5]), isWhole: true }),
      wait(100),
      vm(1, 'cman_tool status', { shows: ['Nodes: 5', 'Total votes: 9'] }),
      vm(3, 'cat /mydata/a.txt', { shows: ['written on node 1', 'appended on node 3'], isWhole: true }),
    ],
  },
  {
    title: 'Part 3: a web server with a floating address',
    steps: [
      ...everywhere('yum install httpd', { shows: ['Nothing to do'] }),
      ...everywhere('chkconfig httpd off'),
      vm(1, 'sed -i \'s,"/var/www/html","/mydata/html",\' /etc/httpd/conf/httpd.conf'),
      vm(1, 'grep html /etc/httpd/conf/httpd.conf', {
        shows: ['DocumentRoot "/mydata/html"', '<Directory "/mydata/html">'],
        isWhole: true,
      }),
      ...[2, 3, 4, 5].map((number) =>
        vm(1, `scp /etc/httpd/conf/httpd.conf my-vm${number}:/etc/httpd/conf/httpd.conf`),
      ),
      vm(5, 'grep html /etc/httpd/conf/httpd.conf', {
        shows: ['DocumentRoot "/mydata/html"', '<Directory "/mydata/html">'],
        isWhole: true,
      }),
      vm(1, 'mkdir /mydata/html'),
      vm(1, `echo '${PAGE}' > /mydata/html/index.html`),
      ...everywhere(written('/etc/cluster/cluster.conf', CONF_WITH_SERVICE), {
        differs: 'only pictures show the domain, the resources and the service; names and policies are ours',
      }),
      vm(1, 'cman_tool version -r -S', { differs: '-S: the file is written on every node already' }),
      wait(30),
      outside('f5', { shows: [PAGE], isWhole: true }),
      vm(1, 'ps aux | grep httpd', { shows: [HTTPD] }),
    ],
  },
  {
    title: 'Part 3: fail-over',
    steps: [
      vm(1, 'shutdown -h now'),
      wait(30),
      outside('f5', { shows: [PAGE], isWhole: true }),
      vm(2, 'ps aux | grep http', { shows: [HTTPD] }),
      vm(2, 'clustat', { shows: clustat(2, [2, 3, 4, 5], 'my-vm2'), isWhole: true }),
      outside('power off my-vm2'),
      wait(60),
      outside('f5', { shows: [PAGE], isWhole: true }),
      vm(3, 'clustat', { shows: clustat(3, [3, 4, 5], 'my-vm3'), isWhole: true }),
      outside('power off my-vm3 my-vm4'),
      wait(60),
      outside('f5', { shows: [PAGE], isWhole: true }),
      vm(5, 'ps aux | grep httpd', { shows: [HTTPD] }),
      outside('power on my-vm1'),
      wait(100),
      outside('f5', { shows: [PAGE], isWhole: true }),
      vm(1, 'ps aux | grep httpd', { shows: [HTTPD] }),
      vm(5, 'ps aux | grep httpd', { lacks: [HTTPD] }),
      vm(1, 'clustat', { shows: clustat(1, [1, 5], 'my-vm1'), isWhole: true }),
    ],
  },
];

function keys(nodes: readonly number[]): readonly string[] {
  return nodes.map((node) => `0x63d2000${node}`);
}
