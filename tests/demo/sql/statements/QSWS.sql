SELECT y.SLH AS ywslh, y.HTH AS htbh, y.DYH AS bdcdyh,
       CAST(y.WSQK AS TEXT) AS wsqk_dm, y.WSQK IN (1, 2, 3) AS kz,
       (SELECT json_group_array(json_object('nsrsbh', m.NSRSBH,
                'nsrmc', m.NSRMC, 'zsxm_dm', m.ZSXM,
                'jsyj', printf('%d.%02d', m.JSYJ / 100, m.JSYJ % 100),
                'sl', printf('%d.%06d', m.SL / 1000000, m.SL % 1000000),
                'sjje', printf('%d.%02d', m.SJJE / 100, m.SJJE % 100),
                'dzsphm', m.SPHM,
                'skssqq', printf('%04d-%02d-%02d', m.SSQ_Q / 10000,
                    m.SSQ_Q / 100 % 100, m.SSQ_Q % 100),
                'skssqz', printf('%04d-%02d-%02d', m.SSQ_Z / 10000,
                    m.SSQ_Z / 100 % 100, m.SSQ_Z % 100),
                'jkrq', printf('%04d-%02d-%02d', m.JKRQ / 10000,
                    m.JKRQ / 100 % 100, m.JKRQ % 100)))
          FROM T_QS_MX m WHERE m.YW_ID = y.YW_ID HAVING count(*) > 0) AS mx,
       y.JMXZ AS jmxz_dm, y.SWJG AS swjg_dm,
       strftime('%Y-%m-%dT%H:%M:%S', y.SCSJ, 'unixepoch', '+8 hours') ||
           '+08:00' AS cjsj
  FROM T_QS_YW y
 WHERE y.SLH = :ywslh OR y.HTH = :htbh OR y.DYH = :bdcdyh
 ORDER BY y.YW_ID
