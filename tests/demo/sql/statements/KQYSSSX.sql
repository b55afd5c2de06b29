SELECT k.bgbh, k.hj AS ywhj_dm, n.nsrsbh, n.nsrmc,
       n.zgswj_dm AS jgszd_swjg_dm, k.jyd_qh AS jyd_xzqh, k.jyd_dz,
       k.jyd_swjg AS jyd_swjg_dm, k.jyfs AS jyfs_dm, k.htmc, k.htbh, k.htje,
       k.htyxq_q, k.htyxq_z, k.bgyxq_z, k.lxr, k.lxdh, k.jbr, k.byrq
  FROM kqy_bg k JOIN dj_nsrxx n ON n.djxh = k.djxh
 WHERE n.nsrsbh = :nsrsbh AND (:bgbh IS NULL OR k.bgbh = :bgbh)
 ORDER BY k.bgbh
