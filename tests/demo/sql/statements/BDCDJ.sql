SELECT c.case_no AS ywslh, c.contract_no AS htbh,
       CASE c.reg_type WHEN '1' THEN '0100' WHEN '2' THEN '0200'
            WHEN '3' THEN '0300' ELSE '0400' END AS djlx_dm,
       CASE c.how_got WHEN 'buy' THEN '01' WHEN 'gift' THEN '02'
            WHEN 'inherit' THEN '03' WHEN 'swap' THEN '04'
            ELSE '99' END AS qdfs_dm,
       c.unit_no AS bdcdyh, c.cert_no AS bdcqzh, c.located AS zl,
       c.area_code AS xzqh, c.used_for AS fwyt_dm,
       printf('%d.%02d', c.build_area / 100, c.build_area % 100) AS jzmj,
       CASE WHEN c.inner_area IS NOT NULL THEN printf('%d.%02d',
            c.inner_area / 100, c.inner_area % 100) END AS tnmj,
       printf('%d.%02d', c.price_fen / 100, c.price_fen % 100) AS cjjg,
       c.tax_in AS sfhs,
       replace(c.signed_on, '/', '-') AS htqdrq,
       (SELECT json_group_array(json_patch(json_object(
                'rylb', CASE p.side WHEN 'S' THEN '1' ELSE '2' END,
                'xm', p.full_name, 'zjlx', p.id_type, 'zjhm', p.id_no,
                'gyqk', p.holding),
                CASE WHEN p.share_pct IS NULL THEN '{}' ELSE json_object(
                    'gybl', printf('%d.%04d', p.share_pct / 10000,
                    p.share_pct % 10000)) END))
          FROM bdc_party p WHERE p.case_id = c.case_id) AS qlr,
       replace(c.accepted_on, '/', '-') AS slrq, c.office AS djjg_dm
  FROM bdc_case c
 WHERE c.unit_no = :bdcdyh AND (:ywslh IS NULL OR c.case_no = :ywslh)
 ORDER BY c.case_id
