SELECT CASE WHEN p.sfzh IS NULL THEN '3'
            WHEN p.rkzt <> '0' THEN '4'
            WHEN p.xm <> a.xm THEN '2'
            ELSE '1' END AS hyjg_dm,
       strftime('%Y-%m-%dT%H:%M:%S', 'now', '+8 hours') || '+08:00' AS hysj,
       substr(p.gxrq, 1, 4) || '-' || substr(p.gxrq, 5, 2) || '-' ||
           substr(p.gxrq, 7, 2) AS sjgxrq,
       'HY-' || hex(randomblob(8)) AS hyls
  FROM (SELECT :gmsfhm AS sfzh, :xm AS xm) a
  LEFT JOIN czrk_jbxx p ON p.sfzh = a.sfzh
