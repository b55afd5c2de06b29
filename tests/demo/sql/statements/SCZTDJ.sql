SELECT b.LASTBIZ AS djlx, b.UNISCID AS shxydm, b.REGNO AS zch,
       b.ENTNAME AS ztmc, b.ENTTYPE AS ztlx_dm,
       CASE b.REGSTATE WHEN 'K' THEN '1' WHEN 'D' THEN '2' WHEN 'X' THEN '4'
            WHEN 'Q' THEN '6' ELSE '9' END AS jyzt_dm,
       b.LEREP AS fddbr_xm,
       CASE b.CERTYPE WHEN '10' THEN '201' WHEN '40' THEN '208'
            ELSE '299' END AS fddbr_zjlx,
       b.CERNO AS fddbr_zjhm,
       printf('%d.%06d', b.REGCAP / 10000, b.REGCAP % 10000 * 100) AS zczb,
       '156' AS zczb_bz,
       substr(b.ESTDATE, 1, 4) || '-' || substr(b.ESTDATE, 5, 2) || '-' ||
           substr(b.ESTDATE, 7, 2) AS clrq,
       substr(b.APPRDATE, 1, 4) || '-' || substr(b.APPRDATE, 5, 2) || '-' ||
           substr(b.APPRDATE, 7, 2) AS hzrq,
       substr(b.OPFROM, 1, 4) || '-' || substr(b.OPFROM, 5, 2) || '-' ||
           substr(b.OPFROM, 7, 2) AS yyqx_q,
       substr(b.OPTO, 1, 4) || '-' || substr(b.OPTO, 5, 2) || '-' ||
           substr(b.OPTO, 7, 2) AS yyqx_z,
       b.DOM AS zs, b.DOMDISTRICT AS xzqh, b.OPSCOPE AS jyfw,
       b.INDUSTRY AS hy_dm, b.REGORG AS djjg_dm, b.REGORGNAME AS djjg_mc,
       b.TEL AS lxdh,
       (SELECT json_group_array(json_object('tzr_mc', i.INV,
                'tzr_zjlx', CASE i.CERTYPE WHEN '10' THEN '201' ELSE '299' END,
                'tzr_zjhm', i.CERNO,
                'rjcze', printf('%d.%06d', i.SUBCONAM / 10000,
                    i.SUBCONAM % 10000 * 100),
                'czbl', printf('%d.%02d', i.RATE / 100, i.RATE % 100)))
          FROM ENT_INV i WHERE i.PRIPID = b.PRIPID HAVING count(*) > 0) AS tzr,
       (SELECT json_group_array(json_object('bgsx_dm', a.ALTITEM,
                'bgq', a.ALTBE, 'bgh', a.ALTAF,
                'bgrq', substr(a.ALTDATE, 1, 4) || '-' ||
                    substr(a.ALTDATE, 5, 2) || '-' || substr(a.ALTDATE, 7, 2)))
          FROM ENT_ALT a WHERE a.PRIPID = b.PRIPID HAVING count(*) > 0) AS bgsx,
       b.CANREA AS zxyy
  FROM ENT_BASE b
 WHERE b.UNISCID = :shxydm
