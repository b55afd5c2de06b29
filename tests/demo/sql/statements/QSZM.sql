SELECT n.nsrsbh AS shxydm, n.nsrsbh, n.nsrmc, q.zmbh AS qszm_bh,
       q.jl AS qsjl_dm, q.sy AS wjqsy, q.lx AS zxlx_dm, q.sqrq, q.cjrq,
       q.swjg_dm, q.swjg_mc
  FROM zx_qszm q JOIN dj_nsrxx n ON n.djxh = q.djxh
 WHERE n.nsrsbh = :shxydm
 ORDER BY q.cjrq, q.zmbh
