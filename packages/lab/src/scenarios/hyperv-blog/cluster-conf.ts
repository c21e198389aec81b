/**
 * The walk-through's /etc/cluster/cluster.conf.
 *
 * Given by the walk-through: the names, expected_votes, the quorumd and heuristic lines, /dev/sdb, unfencing of every
 * node, the order of the failover domain, the floating address, the apache resource. Only pictures show the rest there:
 * the names of the domain and of the devices, `restricted`, `recovery`, and the file system as a resource are ours.
 */
export const CLUSTER_CONF = `<?xml version="1.0"?>
<cluster config_version="34" name="my-cluster">
  <cman expected_votes="9" hash_cluster_id="yes"/>
  <totem token="10000"/>
  <quorumd label="myqdisk" min_score="1">
    <heuristic program="ping -c3 -t2 10.156.76.1" score="2" tko="10"/>
  </quorumd>
  <fence_daemon clean_start="0" post_fail_delay="0" post_join_delay="6"/>
  <clusternodes>
    <clusternode name="my-vm1" nodeid="1">
      <fence>
        <method name="scsi">
          <device name="scsi_fence" devices="/dev/sdb"/>
        </method>
      </fence>
      <unfence>
        <device name="scsi_fence" devices="/dev/sdb" action="on"/>
      </unfence>
    </clusternode>
    <clusternode name="my-vm2" nodeid="2">
      <fence>
        <method name="scsi">
          <device name="scsi_fence" devices="/dev/sdb"/>
        </method>
      </fence>
      <unfence>
        <device name="scsi_fence" devices="/dev/sdb" action="on"/>
      </unfence>
    </clusternode>
    <clusternode name="my-vm3" nodeid="3">
      <fence>
        <method name="scsi">
          <device name="scsi_fence" devices="/dev/sdb"/>
        </method>
      </fence>
      <unfence>
        <device name="scsi_fence" devices="/dev/sdb" action="on"/>
      </unfence>
    </clusternode>
    <clusternode name="my-vm4" nodeid="4">
      <fence>
        <method name="scsi">
          <device name="scsi_fence" devices="/dev/sdb"/>
        </method>
      </fence>
      <unfence>
        <device name="scsi_fence" devices="/dev/sdb" action="on"/>
      </unfence>
    </clusternode>
    <clusternode name="my-vm5" nodeid="5">
      <fence>
        <method name="scsi">
          <device name="scsi_fence" devices="/dev/sdb"/>
        </method>
      </fence>
      <unfence>
        <device name="scsi_fence" devices="/dev/sdb" action="on"/>
      </unfence>
    </clusternode>
  </clusternodes>
  <fencedevices>
    <fencedevice agent="fence_scsi" name="scsi_fence"/>
  </fencedevices>
  <rm>
    <failoverdomains>
      <failoverdomain name="my_failover_domain" nofailback="0" ordered="1" restricted="1">
        <failoverdomainnode name="my-vm1" priority="1"/>
        <failoverdomainnode name="my-vm2" priority="2"/>
        <failoverdomainnode name="my-vm3" priority="3"/>
        <failoverdomainnode name="my-vm4" priority="4"/>
        <failoverdomainnode name="my-vm5" priority="5"/>
      </failoverdomain>
    </failoverdomains>
    <resources>
      <ip address="10.156.76.58" monitor_link="1" sleeptime="10"/>
      <clusterfs device="/dev/mapper/my--vg1-my--store1" fstype="gfs2" mountpoint="/mydata" name="my_gfs2"/>
      <apache config_file="conf/httpd.conf" name="my_apache" server_root="/etc/httpd" shutdown_wait="5"/>
    </resources>
    <service autostart="1" domain="my_failover_domain" exclusive="0" name="my_service_group" recovery="relocate">
      <clusterfs ref="my_gfs2"/>
      <ip ref="10.156.76.58"/>
      <apache ref="my_apache"/>
    </service>
  </rm>
</cluster>
`;
