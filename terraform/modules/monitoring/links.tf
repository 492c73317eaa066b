# Links into the CloudWatch console. It encodes values in its own way: everything except letters, digits, - _ and . is *HH.
locals {
  console_hosts = { aws = "console.aws.amazon.com", aws-us-gov = "console.amazonaws-us-gov.com", aws-cn = "console.amazonaws.cn" }

  consoles = {
    for region in local.regions :
    region => "https://${region}.${local.console_hosts[local.partitions[region]]}/cloudwatch/home?region=${region}"
  }

  trace_map_link = "${local.consoles[local.home_region]}#xray:service-map/map"

  trace_links = {
    for key, group in local.trace_groups : key => join("", [
      local.consoles[local.home_region], "#xray:traces/query?~(query~(expression~'", local.encoded[group.filter],
      ")~context~(timeRange~(delta~21600000)))",
    ])
  }

  # Each saved query, with its text and its log groups, for the last day.
  query_links = {
    for key, query in local.linked_queries : key => join("", [
      local.consoles[query.region], "#logsV2:logs-insights$3FqueryDetail$3D~(end~0~start~-86400~timeType~'RELATIVE~unit~'seconds",
      "~editorString~'", local.encoded[query.text], "~source~(", join("", [for group in query.groups : "~'${local.encoded[group]}"]), "))",
    ])
  }

  linked_queries = merge(
    { for name, text in local.queries : name => { region = local.home_region, text = trimspace(text), groups = local.log_groups } },
    {
      for pair in setproduct(keys(local.mail_queries), var.smtp_regions) : "${pair[0]} (${pair[1]})" => {
        region = pair[1], text = trimspace(local.mail_queries[pair[0]]), groups = [local.mail_log_group]
      }
    },
  )

  encoded = {
    for text in toset(concat(
      [for group in local.trace_groups : group.filter],
      [for query in local.linked_queries : query.text], local.log_groups, [local.mail_log_group],
    )) : text => replace(replace(replace(urlencode(text), "+", "%20"), "~", "%7e"), "%", "*")
  }
}
