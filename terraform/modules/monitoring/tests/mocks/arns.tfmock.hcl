# ARNs that AWS would return.
override_resource {
  target = aws_sns_topic.operators["eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-operators" }
}

override_resource {
  target = aws_sns_topic.feedback["bounces/eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-bounces" }
}

override_resource {
  target = aws_sns_topic.feedback["complaints/eu-central-1"]
  values = { arn = "arn:aws:sns:eu-central-1:111122223333:smtp-test-complaints" }
}

override_resource {
  target = aws_sns_topic.operators["eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-operators" }
}

override_resource {
  target = aws_sns_topic.feedback["bounces/eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-bounces" }
}

override_resource {
  target = aws_sns_topic.feedback["complaints/eu-west-1"]
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:smtp-test-complaints" }
}

override_resource {
  target = aws_cloudwatch_log_group.mail["eu-central-1"]
  values = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/events/smtp-test-mail" }
}

override_resource {
  target = aws_cloudwatch_log_group.mail["eu-west-1"]
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/events/smtp-test-mail" }
}
