WITH a AS (
    SELECT coalesce(:fpdm, '') AS fpdm, :fphm AS fphm, :kprq AS kprq,
           :fjys AS fjys
), f AS (
    SELECT z.*, z.kprq = a.kprq AND a.fjys =
           CASE z.zl WHEN '01' THEN z.je ELSE z.jshj END AS ok
      FROM a LEFT JOIN fp_zx z ON z.fpdm = a.fpdm AND z.fphm = a.fphm
)
SELECT CASE WHEN f.fphm IS NULL THEN '003'
            WHEN NOT f.ok THEN '002'
            WHEN f.zt IN ('2', '3') THEN '005'
            ELSE '001' END AS cyjg_dm,
       CASE WHEN f.ok THEN f.zl END AS fpzl_dm,
       CASE WHEN f.ok THEN f.zt END AS fpzt_dm,
       CASE WHEN f.ok THEN f.xfsh END AS xfsh,
       CASE WHEN f.ok THEN f.xfmc END AS xfmc,
       CASE WHEN f.ok THEN f.gfsh END AS gfsh,
       CASE WHEN f.ok THEN f.gfmc END AS gfmc,
       CASE WHEN f.ok THEN f.je END AS je,
       CASE WHEN f.ok THEN f.se END AS se,
       CASE WHEN f.ok THEN f.jshj END AS jshj,
       1 AS cycs
  FROM f
